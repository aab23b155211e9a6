using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Cli.CommandLine;

/// <summary>Secrets that a person types or keeps in a file. They never stand on the command line, where every process could read them.</summary>
internal static class Typed
{
    private const int LongestFile = 4096;

    /// <summary>Whether there is somebody to ask.</summary>
    public static bool Possible => !Console.IsInputRedirected;

    /// <summary>The first line of a file.</summary>
    /// <exception cref="RefusedInput"><c>secret.file-missing</c>, <c>secret.file-bad</c>.</exception>
    public static char[] FirstLine(string path)
    {
        var text = Whole(path);
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        if (end < 0)
        {
            return text;
        }

        var line = text[..end];
        Array.Clear(text);
        return line;
    }

    /// <summary>A whole small file, such as the text of a printed sheet.</summary>
    /// <exception cref="RefusedInput"><c>secret.file-missing</c>, <c>secret.file-bad</c>.</exception>
    public static char[] Whole(string path)
    {
        byte[] bytes;
        try
        {
            using var stream = File.OpenRead(path);
            if (stream.Length is 0 or > LongestFile)
            {
                throw new RefusedInput("secret.file-bad", "The file with the passphrase or password is empty or too long. Its first line is the secret.");
            }

            bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RefusedInput("secret.file-missing", "The file with the passphrase or password cannot be read. Name a readable file.");
        }

        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetChars(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new RefusedInput("secret.file-bad", "The file with the passphrase or password is not UTF-8 text.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Asks without showing what is typed.</summary>
    public static char[] Ask(string question)
    {
        Console.Error.Write(question);
        var typed = new List<char>();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                if (typed.Count > 0)
                {
                    typed.RemoveAt(typed.Count - 1);
                }
            }
            else if (!char.IsControl(key.KeyChar))
            {
                typed.Add(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return [.. typed];
    }
}
