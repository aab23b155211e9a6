using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Keys.Hardware;
using Mangrove.Vault.Storage;

namespace Mangrove.Vault.Keys;

/// <summary>
/// The root key's envelope, root.json in the data folder: the random root key, wrapped under a key derived from the
/// passphrase (PBKDF2-HMAC-SHA-256, 600,000 rounds and a random salt), held in the key file, sealed by the TPM of this
/// machine, or made by a token.
/// </summary>
internal sealed partial record RootProtector
{
    private const int Rounds = 600_000;

    // What this version's root.json of a TPM or token says is unknown to versions that read format 1 only.
    private const int PlainFormat = 1;
    private const int HardwareFormat = 2;

    public int Format { get; init; } = PlainFormat;

    /// <summary>This installation, in every sealed field's address and every audit entry.</summary>
    public Guid Facility { get; init; }

    public string FacilityName { get; init; } = string.Empty;

    public ProtectorKind Kind { get; init; }

    public int Iterations { get; init; }

    public byte[] Salt { get; init; } = [];

    public string? KeyFile { get; init; }

    public bool SameVolumeAccepted { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TpmSeal? Tpm { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TokenSeal? Token { get; init; }

    public byte[] Wrapped { get; init; } = [];

    /// <summary>The root key to come, while it is being changed: of the two, one opens keys.db (<see cref="Unseal"/>).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public byte[]? Next { get; init; }

    /// <summary>What may be said of it to anybody.</summary>
    [JsonIgnore]
    public RootGuard Guard => new(Kind, SameVolumeAccepted, Tpm?.Pin ?? Kind == ProtectorKind.Token, Tpm is { Pcrs.Length: > 0 } or { Gate: not null });

    public static string PathIn(string folder) => Path.Combine(folder, "root.json");

    /// <summary>Makes a new root key and its protector file.</summary>
    /// <exception cref="RefusedInput">
    /// <c>keys.same-volume</c>: the key file would lie on the volume of the data and the risk was not accepted;
    /// <c>keys.file-exists</c>: the key file exists already; <c>keys.passphrase-short</c>: fewer than 15 characters; a <c>tpm.</c> or <c>token.</c> code.
    /// </exception>
    public static Task<KeyMaterial> Create(string folder, RootSecret secret, string facilityName, CancellationToken cancel) => Create(folder, secret, facilityName, Ids.New(), cancel);

    /// <summary>As the other, for a hospital that has its id already: one restored from a backup.</summary>
    public static async Task<KeyMaterial> Create(string folder, RootSecret secret, string facilityName, Guid facility, CancellationToken cancel)
    {
        var (protector, wrapping) = await Made(folder, secret, facility, facilityName, cancel);
        var root = KeyMaterial.Generate();
        using (wrapping)
        {
            protector = protector with { Wrapped = KeyWrap.WrapBound(wrapping, root, protector.Context()) };
        }

        try
        {
            DurableFile.Create(PathIn(folder), protector.Bytes());
            return root;
        }
        catch
        {
            root.Dispose();
            await protector.Abandon(secret);
            throw;
        }
    }

    public static RootProtector Read(string folder)
    {
        try
        {
            var protector = JsonSerializer.Deserialize(File.ReadAllBytes(PathIn(folder)), RootProtectorJson.Default.RootProtector);
            return protector is { Format: PlainFormat, Kind: ProtectorKind.Passphrase or ProtectorKind.KeyFile } or { Format: HardwareFormat, Kind: ProtectorKind.Tpm, Tpm: { Public: not null, Private: not null, Pcrs: not null, Gate: null or { Public: not null, Private: not null, Pcrs.Length: > 0, Pin: false, Gate: null } } }
                    or { Format: HardwareFormat, Kind: ProtectorKind.Token, Token: { Module: not null, Label: not null, Id: not null, Challenge.Length: KeyMaterial.Size } }
                && protector is { Wrapped.Length: > 0, Salt: not null, FacilityName: not null }
                ? protector
                : throw new RefusedInput("keys.protector-bad", "root.json is not of a kind that this version reads. Restore it, or use a newer version.");
        }
        catch (FileNotFoundException)
        {
            throw new RefusedInput("data.not-initialised", "This folder holds no hospital. Run 'mangrove init' first, or name the right folder with --data.");
        }
        catch (DirectoryNotFoundException)
        {
            throw new RefusedInput("data.not-initialised", "This folder holds no hospital. Run 'mangrove init' first, or name the right folder with --data.");
        }
        catch (JsonException)
        {
            throw new RefusedInput("keys.protector-bad", "root.json is damaged. Restore it from the copy made at set-up.");
        }
    }

    /// <summary>Opens the root key.</summary>
    /// <exception cref="RefusedInput"><c>keys.passphrase-wrong</c>, <c>keys.file-missing</c>, <c>keys.file-foreign</c>, <c>keys.passphrase-needed</c>, or a code of <see cref="TpmKey.Open"/> or <see cref="TokenKey.Open"/>.</exception>
    public async Task<KeyMaterial> Open(RootSecret secret, CancellationToken cancel)
    {
        using var wrapping = await Wrapping(secret, cancel);
        return Unwrap(wrapping, Wrapped);
    }

    /// <summary>The key that wraps the root, from what the person has; whether it is the right one shows at the unwrapping.</summary>
    private async Task<KeyMaterial> Wrapping(RootSecret secret, CancellationToken cancel) => this switch
    {
        { Kind: ProtectorKind.Tpm, Tpm: { } seal } => await TpmKey.Open(seal, secret.Pin, cancel),
        { Kind: ProtectorKind.Token, Token: { } seal } => await TokenKey.Open(seal, secret.Pin, cancel),
        { Kind: ProtectorKind.Passphrase } when secret.Passphrase is { } passphrase => KeyDerivation.FromPassphrase(passphrase, Salt, Iterations),
        { Kind: ProtectorKind.Passphrase } => throw new RefusedInput("keys.passphrase-needed", "This hospital is protected by a passphrase. Give it with --passphrase-file or at the prompt."),
        _ => ReadKeyFile(secret.KeyFile ?? KeyFile!),
    };

    /// <summary>The key that a key file holds.</summary>
    /// <exception cref="RefusedInput"><c>keys.file-missing</c> or <c>keys.file-foreign</c>.</exception>
    public static KeyMaterial ReadKeyFile(string path)
    {
        byte[] text;
        try
        {
            text = File.ReadAllBytes(path);
        }
        catch (IOException)
        {
            throw new RefusedInput("keys.file-missing", "The key file chosen at set-up cannot be read. Connect its volume, or name the file with --key-file.");
        }
        catch (UnauthorizedAccessException)
        {
            throw new RefusedInput("keys.file-missing", "The key file may not be read by this account. Give the service account the right to read it.");
        }

        byte[] bytes;
        try
        {
            // Straight from the bytes: a string of the key would stay in memory until the collector comes by.
            bytes = Convert.FromHexString(text.AsSpan().Trim(" \t\r\n"u8));
        }
        catch (FormatException)
        {
            throw new RefusedInput("keys.file-foreign", "The key file is not a Mangrove key file. Name the file that was written at set-up.");
        }

        if (bytes.Length != 32)
        {
            throw new RefusedInput("keys.file-foreign", "The key file is not a Mangrove key file. Name the file that was written at set-up.");
        }

        var key = KeyMaterial.From(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        CryptographicOperations.ZeroMemory(text);
        return key;
    }

    private KeyMaterial Unwrap(KeyMaterial wrapping, byte[] wrapped)
    {
        try
        {
            return KeyWrap.UnwrapBound(wrapping, wrapped, Context());
        }
        catch (SealBroken)
        {
            throw Kind switch
            {
                ProtectorKind.Passphrase => new RefusedInput("keys.passphrase-wrong", "The passphrase is wrong. Nothing was opened."),
                ProtectorKind.KeyFile => new RefusedInput("keys.file-foreign", "The key file belongs to another hospital or set-up. Name the file that was written at this set-up."),
                _ => new RefusedInput("keys.protector-bad", "The TPM or token answered, and root.json does not open with it: root.json was changed, or is of another set-up. Restore it from the copy made when the protector was chosen."),
            };
        }
    }

    // The parameters are bound to the wrapped key, so that a weakened copy of root.json does not open.
    private byte[] Context() => [.. Encoding.UTF8.GetBytes($"root:{Format}:{Facility:N}:{(int)Kind}:{Iterations}:"), .. Salt, .. Parameters()];

    // 255 is no register's number, so no seal without a gate gives the same bytes.
    private static byte[] Gated(TpmSeal gate) => [255, .. SHA256.HashData(gate.Public), .. SHA256.HashData(gate.Private), .. gate.Pcrs.Select(one => (byte)one)];

    /// <summary>Of a TPM or token, 32 bytes over what it was asked for; of the others nothing, as in format 1.</summary>
    private byte[] Parameters() => this switch
    {
        { Kind: ProtectorKind.Tpm, Tpm: { } seal } => SHA256.HashData([.. SHA256.HashData(seal.Public), .. SHA256.HashData(seal.Private), seal.Pin ? (byte)1 : (byte)0, .. seal.Pcrs.Select(one => (byte)one), .. seal.Gate is { } gate ? Gated(gate) : []]),
        { Kind: ProtectorKind.Token, Token: { } seal } => SHA256.HashData([.. SHA256.HashData(seal.Id), .. SHA256.HashData(seal.Challenge), .. Encoding.UTF8.GetBytes(seal.Label)]),
        _ => [],
    };
}

/// <summary>How root.json is written: generated when the program is built, because every start reads it before anything else.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(RootProtector))]
internal sealed partial class RootProtectorJson : JsonSerializerContext;

/// <summary>Which volume a path lies on.</summary>
internal static class Volumes
{
    /// <summary>True when both paths lie on one volume, or when that cannot be told: doubt counts as danger.</summary>
    public static bool SameVolume(string one, string other)
    {
        var first = VolumeOf(Path.GetFullPath(one));
        var second = VolumeOf(Path.GetFullPath(other));
        return first is null || second is null || string.Equals(first, second, StringComparison.Ordinal);
    }

    private static string? VolumeOf(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return Path.GetPathRoot(path)?.ToUpperInvariant();
        }

        // Fifth field of mountinfo is the mount point, third the device number; the longest mount point that holds the path wins.
        string? device = null;
        var longest = -1;
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
        {
            var parts = line.Split(' ');
            var mount = parts[4].Replace("\\040", " ", StringComparison.Ordinal);
            var holds = mount == "/" || path == mount || path.StartsWith(mount + "/", StringComparison.Ordinal);
            if (holds && mount.Length >= longest)
            {
                longest = mount.Length;
                device = parts[2];
            }
        }

        return device;
    }
}
