using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Keys;

/// <summary>
/// A key sealed to one recipient of recovery, as it stands in the open part of a backup. It says who can open it and how,
/// and holds nothing in the clear; what it belongs to is the context that was given when it was sealed.
/// </summary>
/// <param name="Recipient">Random id of the recipient; its first six bytes name a set of sheets.</param>
/// <param name="Kind"><see cref="ProtectorKindName"/> or <see cref="SharesKindName"/>.</param>
/// <param name="Threshold">How many sheets are needed; 0 for a protector.</param>
/// <param name="SealedKey">113 bytes (docs/formats/recovery.md).</param>
/// <param name="WrappedPrivate">For a protector: the recipient's private key under the passphrase or key file.</param>
/// <param name="Salt">For a protector: 32 random bytes of its derivation.</param>
/// <param name="Rounds">Rounds of PBKDF2 for a passphrase; 0 for a key file.</param>
public sealed record RecoverySlot(Guid Recipient, string Kind, int Threshold, byte[] SealedKey, byte[]? WrappedPrivate, byte[]? Salt, int Rounds)
{
    public const string ProtectorKindName = "protector";

    public const string SharesKindName = "shares";
}

/// <summary>What somebody who recovers has: the passphrase or key file of the hospital, or sheets of its holders. Dispose forgets the sheets.</summary>
public sealed class RecoverySecret : IDisposable
{
    private RecoverySecret(RootSecret? root, IReadOnlyList<RecoveryShare> shares)
    {
        Root = root;
        Shares = shares;
    }

    internal RootSecret? Root { get; }

    internal IReadOnlyList<RecoveryShare> Shares { get; }

    public static RecoverySecret Of(RootSecret root) => new(root, []);

    /// <summary>Reads sheets as they were typed or scanned, one text each.</summary>
    /// <returns>The sheets, or <c>shares.mistyped</c>, <c>shares.version</c>, <c>shares.too-few</c> (none at all).</returns>
    public static Result<RecoverySecret> OfSheets(IReadOnlyList<string> sheets)
    {
        var read = ShareSheets.Read(sheets);
        return read.Error is { } error ? error : new RecoverySecret(null, read.Value);
    }

    public void Dispose()
    {
        foreach (var share in Shares)
        {
            share.Dispose();
        }
    }

    /// <summary>Nothing of it.</summary>
    public override string ToString() => nameof(RecoverySecret);
}

/// <summary>A set of printed sheets as the system knows it: everything about it but the sheets.</summary>
/// <param name="Name">As it stands on each sheet: <c>3F2A 91C0 7B44</c>.</param>
/// <param name="Threshold">How many sheets are needed.</param>
/// <param name="Count">How many were printed.</param>
/// <param name="Created">When the key was made.</param>
/// <param name="ReadBack">When every sheet had been read back; null before.</param>
/// <param name="Verified">When as many sheets as are needed were last typed whole and gave the key; null before.</param>
/// <param name="Retired">Since when no backup is sealed to it; null while it lives.</param>
public sealed record ShareSet(string Name, int Threshold, int Count, DateTimeOffset Created, DateTimeOffset? ReadBack, DateTimeOffset? Verified, DateTimeOffset? Retired)
{
    /// <summary>A set counts when every sheet was read back and the key came out of typed sheets; no backup is sealed to it before.</summary>
    public bool InForce => Retired is null && ReadBack is not null && Verified is not null;
}

/// <summary>One sheet of paper. It exists while it is shown and nowhere else.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Lines">Five lines of four groups of four letters.</param>
public sealed record ShareSheet(int Number, IReadOnlyList<string> Lines)
{
    /// <summary>The same letters in one line, for a QR code.</summary>
    public string Scanned => string.Join(' ', Lines);

    /// <summary>Nothing of its letters.</summary>
    public override string ToString() => nameof(ShareSheet);
}

/// <summary>A set that was just made, with its sheets, which are given out this once.</summary>
public sealed record ShareCeremony(ShareSet Set, IReadOnlyList<ShareSheet> Sheets)
{
    /// <summary>Nothing of its sheets.</summary>
    public override string ToString() => nameof(ShareCeremony);
}

/// <summary>Which group of a sheet its holder is asked to read back.</summary>
/// <param name="Sheet">Number of the sheet.</param>
/// <param name="Line">From 1.</param>
/// <param name="Group">From 1, as the line is written.</param>
public sealed record GroupAsked(int Sheet, int Line, int Group);

/// <summary>What the recovery of the hospital rests on.</summary>
/// <param name="Protector">What the recipient that goes with the root key is opened by; null when there is none yet.</param>
/// <param name="InForce">The set of sheets that backups are sealed to; null when none counts.</param>
/// <param name="Begun">A set that does not count yet; null when none was begun.</param>
/// <param name="Asked">What its holders are asked to read back; empty when it was done, or when the server was restarted since.</param>
/// <param name="Earlier">Sets that were replaced, newest first.</param>
public sealed record RecoveryState(ProtectorKind? Protector, ShareSet? InForce, ShareSet? Begun, IReadOnlyList<GroupAsked> Asked, IReadOnlyList<ShareSet> Earlier);

/// <summary>A recipient of recovery as it is kept: public key, state, and for a protector what its private key is wrapped in.</summary>
internal sealed record Recipient
{
    public Guid Id { get; init; }

    public string Kind { get; init; } = string.Empty;

    public byte[] Public { get; init; } = [];

    public byte[]? WrappedPrivate { get; init; }

    public byte[]? Salt { get; init; }

    public int Rounds { get; init; }

    /// <summary>Of a protector: SHA-256 of the salt in root.json, which is new with every protector.</summary>
    public byte[]? Follows { get; init; }

    public int Threshold { get; init; }

    public int Count { get; init; }

    public DateTimeOffset Created { get; init; }

    public DateTimeOffset? ReadBack { get; init; }

    public DateTimeOffset? Verified { get; init; }

    public DateTimeOffset? Retired { get; init; }

    [JsonIgnore]
    public bool IsShares => string.Equals(Kind, RecoverySlot.SharesKindName, StringComparison.Ordinal);

    [JsonIgnore]
    public long Set => SetOf(Id);

    /// <summary>The first six bytes of a recipient's id.</summary>
    public static long SetOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = id.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadInt64BigEndian(bytes) >> 16 & ((1L << 48) - 1);
    }

    public ShareSet Shown() => new(RecoveryShare.NameOf(Set), Threshold, Count, Created, ReadBack, Verified, Retired);

    /// <summary>Without what opened its private key: a backup made from now on has no use for it.</summary>
    public Recipient RetiredAt(DateTimeOffset now) => this with { Retired = now, WrappedPrivate = null, Salt = null };
}

// What is not there is left out: a null array would come back as an empty one.
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(List<Recipient>))]
internal sealed partial class RecipientJson : JsonSerializerContext;

/// <summary>Sheets as they were typed.</summary>
internal static class ShareSheets
{
    /// <returns>The shares, to be disposed of, or the first thing that is wrong with them. What is left empty is no sheet.</returns>
    public static Result<IReadOnlyList<RecoveryShare>> Read(IReadOnlyList<string> sheets)
    {
        var read = new List<RecoveryShare>();
        for (var i = 0; i < sheets.Count; i++)
        {
            if (string.IsNullOrWhiteSpace(sheets[i]))
            {
                continue;
            }

            var one = RecoveryShare.Parse(sheets[i], i + 1);
            if (one.Error is { } error)
            {
                read.ForEach(share => share.Dispose());
                return error;
            }

            read.Add(one.Value);
        }

        return read.Count == 0 ? RecoveryShare.Combine([]).Error! : read;
    }
}
