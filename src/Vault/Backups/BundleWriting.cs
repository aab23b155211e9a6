using System.Security.Cryptography;
using Mangrove.Sealing;

namespace Mangrove.Vault.Backups;

/// <summary>Writes a key bundle: of a new backup, or in the place of one that is rewritten.</summary>
internal static class BundleWriting
{
    /// <param name="target">Where it goes.</param>
    /// <param name="head">Whose it is; the wrapping of its key is made here.</param>
    /// <param name="epoch">The epoch's key.</param>
    /// <param name="inside">What it keeps; the lengths of its parts are those of the files.</param>
    /// <param name="parts">The files of its parts, in their order.</param>
    public static void Write(Stream target, BundleHead head, KeyMaterial epoch, BundleKeys inside, IReadOnlyList<string> parts)
    {
        using var own = KeyMaterial.Generate();
        head = head with { Wrapped = KeyWrap.WrapBound(epoch, own, head.KeyContext()) };
        var hash = head.WriteTo(target);
        using var writer = new ArchiveWriter(target, own, new ArchiveHeader(ArchiveKind.Keys, head.Facility, head.Backup, head.Epoch, head.Created, hash), leaveOpen: true);
        var keys = inside.ToBytes();
        try
        {
            writer.Write(keys);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(keys);
        }

        var buffer = new byte[Archive.LongestChunk];
        for (var at = 0; at < parts.Count; at++)
        {
            using var source = File.OpenRead(parts[at]);
            for (var left = inside.Parts[at].Length; left > 0;)
            {
                var chunk = buffer.AsSpan(0, (int)Math.Min(left, buffer.Length));
                source.ReadExactly(chunk);
                writer.Write(chunk);
                left -= chunk.Length;
            }
        }

        writer.Finish([]);
    }
}
