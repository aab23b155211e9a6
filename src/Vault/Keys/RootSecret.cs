namespace Mangrove.Vault.Keys;

/// <summary>How the root key is protected.</summary>
public enum ProtectorKind
{
    /// <summary>Asked for at every start.</summary>
    Passphrase = 1,

    /// <summary>A file on another volume.</summary>
    KeyFile = 2,

    /// <summary>The TPM 2.0 of this machine: it starts unattended, and the disk opens in no other machine.</summary>
    Tpm = 3,

    /// <summary>A PKCS#11 token, such as a smart card or a module of the network.</summary>
    Token = 4,
}

/// <summary>What opens the root key, or what is to open it: one of passphrase, key file, TPM and token, with what belongs to it.</summary>
public sealed record RootSecret
{
    /// <summary>The passphrase, never a string. The caller zeroes its own copy.</summary>
    public char[]? Passphrase { get; init; }

    public string? KeyFile { get; init; }

    /// <summary>The administrator accepts that the key file lies on the volume of the data; recorded in the log.</summary>
    public bool AcceptSameVolume { get; init; }

    /// <summary>To be sealed to the TPM of this machine. Opening needs none of it: root.json says how.</summary>
    public TpmWanted? Tpm { get; init; }

    /// <summary>To be protected by a token. Opening needs none of it.</summary>
    public TokenWanted? Token { get; init; }

    /// <summary>The PIN of the TPM or token; null where there is none.</summary>
    public char[]? Pin { get; init; }

    /// <summary>With a TPM or token: the passphrase that opens backups, because a lost machine must not take them along. It does not open the data folder.</summary>
    public char[]? ForBackups { get; init; }
}

/// <summary>A TPM as protector.</summary>
/// <param name="BootRegisters">Registers of the boot (PCR, SHA-256 bank) whose values it is bound to; empty where a start is to succeed after every update.</param>
public sealed record TpmWanted(IReadOnlyList<int> BootRegisters);

/// <summary>A token as protector.</summary>
/// <param name="Module">The PKCS#11 module, an absolute path.</param>
/// <param name="Label">The label of the token.</param>
public sealed record TokenWanted(string Module, string Label)
{
    /// <summary>
    /// What the new key is called in the token (CKA_ID), 16 random bytes, for whoever writes it down before the key is made, so that
    /// a key that came to nothing can be found and removed (<see cref="VaultRoom.RemoveFromToken"/>); null lets the vault choose.
    /// </summary>
    public byte[]? KeyId { get; init; }
}

/// <summary>How the root key is protected, as pages and commands say it. No secret.</summary>
/// <param name="Kind">By what.</param>
/// <param name="BesideData">A key file on the volume of the data.</param>
/// <param name="AsksPin">A TPM or token that asks for a PIN.</param>
/// <param name="BoundToBoot">A TPM that opens only when the machine was started as before.</param>
public sealed record RootGuard(ProtectorKind Kind, bool BesideData, bool AsksPin, bool BoundToBoot)
{
    /// <summary>passphrase, keyfile, tpm, pkcs11: as the option <c>--protector</c> has it.</summary>
    public string Option => Kind switch { ProtectorKind.Passphrase => "passphrase", ProtectorKind.KeyFile => "keyfile", ProtectorKind.Tpm => "tpm", _ => "pkcs11" };

    /// <summary>passphrase, key file, TPM, token.</summary>
    public string Name => NameOf(Kind);

    /// <summary>With an article and what qualifies it.</summary>
    public string Words => this switch
    {
        { Kind: ProtectorKind.Passphrase } => "a passphrase",
        { Kind: ProtectorKind.KeyFile, BesideData: true } => "a key file, beside the data",
        { Kind: ProtectorKind.KeyFile } => "a key file, apart from the data",
        { Kind: ProtectorKind.Tpm, AsksPin: true, BoundToBoot: true } => "the TPM of this machine, with a PIN and bound to how it starts",
        { Kind: ProtectorKind.Tpm, AsksPin: true } => "the TPM of this machine, with a PIN",
        { Kind: ProtectorKind.Tpm, BoundToBoot: true } => "the TPM of this machine, bound to how it starts",
        { Kind: ProtectorKind.Tpm } => "the TPM of this machine",
        _ => "a token, with its PIN",
    };

    /// <summary>What whoever has the stolen disk has, in a sentence.</summary>
    public string StolenDisk => this switch
    {
        { BesideData: true } => "Whoever has this disk has everything: the key file lies on the volume of the data.",
        { Kind: ProtectorKind.Passphrase } => "A stolen disk reveals nothing without the passphrase.",
        { Kind: ProtectorKind.KeyFile } => "A stolen disk reveals nothing without the key file, which was put on another volume.",
        { Kind: ProtectorKind.Tpm, AsksPin: true, BoundToBoot: true } => "A stolen disk reveals nothing. A stolen machine asks for the PIN when it is started as it is here, its TPM counts the guesses, and to who starts it otherwise not even the PIN opens it.",
        { Kind: ProtectorKind.Tpm, AsksPin: true } => "A stolen disk reveals nothing. A stolen machine asks for the PIN, and its TPM counts the guesses.",
        { Kind: ProtectorKind.Tpm, BoundToBoot: true } => "A stolen disk reveals nothing. A stolen machine opens when it is started as it is here, and to nobody who starts it otherwise.",
        { Kind: ProtectorKind.Tpm } => "A stolen disk reveals nothing. A stolen machine opens by itself: lock the room, or add a PIN (--new-pin-file) or the boot's state (tpm:pcrs=7).",
        _ => "A stolen disk reveals nothing without the token and its PIN.",
    };

    public static string NameOf(ProtectorKind kind) => kind switch { ProtectorKind.Passphrase => "passphrase", ProtectorKind.KeyFile => "key file", ProtectorKind.Tpm => "TPM", _ => "token" };
}
