using System.Text;
using Mangrove.Vault;

namespace Mangrove.Portability.Exchange;

/// <summary>
/// The marks by which imported records are known again: fingerprints under the newest version of the index key. While that key
/// is rotated some records are still known under an older version; what is found by such a mark is taken as found by the
/// newest one. One for each batch.
/// </summary>
internal sealed class RecordMarks(FingerprintKeys keys)
{
    private readonly Dictionary<string, byte[]> newest = new(StringComparer.Ordinal);

    /// <summary>The version of what <see cref="Content"/> and the others give.</summary>
    public int Version => keys.Newest;

    /// <summary>Every mark of older versions that was asked about.</summary>
    public IEnumerable<byte[]> Older => newest.Keys.Select(Convert.FromHexString);

    /// <summary>Whether two resources say the same.</summary>
    public byte[] Content(byte[] original) => Each(version => ContentUnder(keys, version, original));

    /// <summary>A resource of that type and id.</summary>
    public byte[] Source(string type, string id) => Each(version => SourceUnder(keys, version, type, id));

    /// <summary>Likewise, with one content of it, where several may be kept.</summary>
    public byte[] Variant(string type, string id, byte[] original) => Each(version => VariantUnder(keys, version, type, id, original));

    /// <summary>A resource that names itself nowhere: its content is its name.</summary>
    public byte[] Nameless(string type, byte[] original) => Each(version => NamelessUnder(keys, version, type, original));

    /// <summary>The mark under the newest version for one that is stored; itself, where it is that already.</summary>
    public byte[] Now(byte[] stored) => newest.Count > 0 && newest.TryGetValue(Convert.ToHexString(stored), out var now) ? now : stored;

    public static byte[] ContentUnder(FingerprintKeys keys, int version, byte[] original) => keys.Of(version, "fhir-content", original);

    public static byte[] SourceUnder(FingerprintKeys keys, int version, string type, string id)
    {
        // An address urn:uuid:X and the id X name the same resource in the bundles that most systems write.
        const string urn = "urn:uuid:";
        return keys.Of(version, "fhir-source", Encoding.UTF8.GetBytes($"{type}|{(id.StartsWith(urn, StringComparison.Ordinal) ? id[urn.Length..] : id)}"));
    }

    public static byte[] VariantUnder(FingerprintKeys keys, int version, string type, string id, byte[] original) =>
        SourceUnder(keys, version, type, $"{id}|{Convert.ToHexString(ContentUnder(keys, version, original))}");

    public static byte[] NamelessUnder(FingerprintKeys keys, int version, string type, byte[] original) =>
        SourceUnder(keys, version, type, Convert.ToHexString(ContentUnder(keys, version, original)));

    private byte[] Each(Func<int, byte[]> under)
    {
        var now = under(keys.Newest);
        foreach (var version in keys.Older)
        {
            newest[Convert.ToHexString(under(version))] = now;
        }

        return now;
    }
}
