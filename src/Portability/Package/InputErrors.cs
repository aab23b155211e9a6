using Mangrove.Kernel;

namespace Mangrove.Portability.Package;

/// <summary>Every reason for which a file is not opened, in one table, because scripts rely on the codes.</summary>
internal static class InputErrors
{
    public static Error NotFound { get; } = new("import.not-found", "There is no such file or folder. Check the path.");

    public static Error Unreadable { get; } = new("import.unreadable", "The file could not be read to its end. Check its permissions and the disk, then import it again.");

    public static Error Empty { get; } = new("import.empty", "The file is empty or is not an ordinary file. Give a FHIR file, a folder or an archive.");

    public static Error Unsupported { get; } = new("import.unsupported-file", "This kind of file is not read. Give .json, .ndjson, .zip, .tar, .tar.gz or .tgz.");

    public static Error UnsafeName { get; } = new("import.unsafe-name", "The name leads outside of the archive or names a device. Pack the files again with plain relative names.");

    public static Error NotAFile { get; } = new("import.not-a-file", "Links, devices and pipes are not followed. Put the file itself in its place.");

    public static Error NestedArchive { get; } = new("import.nested-archive", "An archive inside an archive is not opened. Unpack the outer one and import what is inside.");

    public static Error BadArchive { get; } = new("import.bad-archive", "The archive is damaged or is not what its name says. Pack it again.");

    public static Error Encrypted { get; } = new("import.encrypted-archive", "The archive entry is encrypted. Unpack it with its password and import the result.");

    public static Error Bomb { get; } = new("import.bomb", "The archive unpacks to far more than FHIR data does. It was not read further; ask its sender for a new one.");

    public static Error TooMany { get; } = new("import.too-many", "There are more files or entries than one import takes. Split them into several imports.");

    public static Error TooLarge { get; } = new("import.too-large", "The file is larger than one import takes. Split it, or export it as NDJSON with one resource a line.");

    public static Error TooMuch { get; } = new("import.too-much", "Together the files are larger than one import takes. Split them into several imports.");

    public static Error NotJson { get; } = new("import.not-json", "This is not JSON. Export it again as FHIR R4 JSON or NDJSON.");

    public static Error NotUtf8 { get; } = new("import.not-utf8", "The text is not UTF-8. Export it again in UTF-8.");

    public static Error TooDeep { get; } = new("import.too-deep", "The JSON is nested deeper than FHIR data is. Ask the sender for a correct export.");

    public static Error DuplicateKey { get; } = new("import.duplicate-key", "An object names the same element twice, so it is not clear which value holds. Ask the sender for a correct export.");
}
