namespace Mangrove.Vault.Identity;

/// <summary>A passkey as the table keeps it, its public key unsealed.</summary>
internal sealed record PasskeyRow
{
    public required Guid Id { get; init; }

    /// <summary>The credential id, as the authenticator chose it.</summary>
    public required byte[] Credential { get; init; }

    /// <summary>COSE key.</summary>
    public required byte[] PublicKey { get; init; }

    /// <summary>The name of the hospital that it was made under.</summary>
    public required string Site { get; init; }

    /// <summary>What its owner calls it.</summary>
    public required string Name { get; init; }

    /// <summary>The last number that it counted to; 0 where it does not count.</summary>
    public required long SignCount { get; init; }

    public required IReadOnlyList<string> Transports { get; init; }

    public required bool Verified { get; init; }

    public required bool BackupEligible { get; init; }

    public required bool BackedUp { get; init; }

    public required DateTimeOffset Created { get; init; }

    public DateTimeOffset? Used { get; init; }

    public OwnPasskey Shown() => new()
    {
        Id = Id,
        Name = Name,
        Mark = PasskeyMark.Of(Credential),
        Site = Site,
        Transports = Transports,
        MayBeCopied = BackupEligible,
        Created = Created,
        Used = Used,
    };
}

/// <summary>A passkey as its owner sees it. Nothing in it signs anybody in.</summary>
public sealed record OwnPasskey
{
    public required Guid Id { get; init; }

    /// <summary>What its owner calls it.</summary>
    public required string Name { get; init; }

    /// <summary>Eight signs by which the log names it.</summary>
    public required string Mark { get; init; }

    /// <summary>The name of the hospital that it was made under: it works there alone.</summary>
    public required string Site { get; init; }

    /// <summary>How it is reached, in the words of Web Authentication: <c>usb</c>, <c>nfc</c>, <c>ble</c>, <c>smart-card</c>, <c>hybrid</c>, <c>internal</c>.</summary>
    public required IReadOnlyList<string> Transports { get; init; }

    /// <summary>Whether its maker's cloud may carry it to other devices of the person.</summary>
    public required bool MayBeCopied { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>Last sign-in or act with it; null when it was never used.</summary>
    public DateTimeOffset? Used { get; init; }
}

/// <summary>The short name of a passkey in the log.</summary>
internal static class PasskeyMark
{
    public static string Of(byte[] credential) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(credential).AsSpan(0, 4));
}
