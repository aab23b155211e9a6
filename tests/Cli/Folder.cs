namespace Mangrove.Tests.Cli;

/// <summary>A temporary folder of a test.</summary>
internal sealed class Folder : IDisposable
{
    public Folder() => Path = Directory.CreateTempSubdirectory("mangrove-cli-").FullName;

    public string Path { get; }

    public string Data => this["data"];

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public string Secret(string name, string text)
    {
        File.WriteAllText(this[name], text + "\n");
        return this[name];
    }

    /// <summary>On Windows the folder's access list says who may read; there is no mode to look at.</summary>
    public static bool IsForItsOwnerAlone(string file) =>
        OperatingSystem.IsWindows() || (File.GetUnixFileMode(file) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) == UnixFileMode.None;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
