using System.Security.Cryptography;
using Mangrove.Kernel;

namespace Mangrove.Clinic.Terminology;

/// <summary>
/// The diagnoses that this hospital chooses from: the starter set until an administrator takes a full release in, which
/// is then kept in the data folder as it was published. Read at its first use; a search takes no lock.
/// </summary>
public sealed class DiagnosisList
{
    private const string FileName = "icd10cm.release";

    private readonly string? file;
    private Lazy<Icd10Catalogue> current;

    /// <param name="folder">The hospital's data folder, or null for one that keeps to the starter set.</param>
    public DiagnosisList(string? folder)
    {
        file = folder is null ? null : Path.Combine(folder, "terminology", FileName);
        current = new Lazy<Icd10Catalogue>(Read);
    }

    /// <exception cref="RefusedInput"><c>terminology.unreadable</c>: the kept release was damaged.</exception>
    public Icd10Catalogue Current => current.Value;

    /// <summary>Checks a release, keeps it and chooses from it from now on. What is refused changes nothing.</summary>
    /// <returns>The new list, or an <c>icd10.</c> code of <see cref="Icd10Loader.Load"/>.</returns>
    public Result<Icd10Catalogue> Take(FileStream release)
    {
        if (file is null)
        {
            throw new InvalidOperationException("This list has no folder to keep a release in.");
        }

        var loaded = Icd10Loader.Load(release);
        if (loaded.Error is { } error)
        {
            return error;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var fresh = $"{file}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
        try
        {
            using (var kept = new FileStream(fresh, FileMode.CreateNew, FileAccess.Write))
            {
                release.Position = 0;
                release.CopyTo(kept);
                kept.Flush(flushToDisk: true);
            }

            File.Move(fresh, file, overwrite: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            File.Delete(fresh);
            return new Error("terminology.not-kept", "The release could not be written into the data folder. Free space or its rights, then load it again; the list is as it was.");
        }

        Volatile.Write(ref current, new Lazy<Icd10Catalogue>(loaded.Value));
        return loaded;
    }

    private Icd10Catalogue Read()
    {
        if (file is null || !File.Exists(file))
        {
            return Icd10Catalogue.Load();
        }

        using var release = File.OpenRead(file);
        return Icd10Loader.Load(release) is { Error: null } loaded
            ? loaded.Value
            : throw new RefusedInput("terminology.unreadable", "The list of diagnoses in the data folder is damaged. An administrator loads the release again: mangrove terminology load.");
    }
}
