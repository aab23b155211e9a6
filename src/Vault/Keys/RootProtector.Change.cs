using System.Security.Cryptography;
using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault.Keys.Hardware;
using Mangrove.Vault.Storage;

namespace Mangrove.Vault.Keys;

/// <summary>
/// Changing the root key and what protects it. root.json is replaced whole and durably. While the root key itself is being
/// changed it carries both, the one in use and the one to come; keys.db changes over in one transaction, so that at any
/// moment exactly one of the two opens it, and the next start says which (<see cref="Unseal"/>).
/// </summary>
internal sealed partial record RootProtector
{
    private const int ShortestPassphrase = 15;

    /// <summary>Opens the key ring with the root key, or, after a change of it that was cut off, with the one that keys.db is under; root.json then names that one alone.</summary>
    /// <exception cref="RefusedInput">A code of <see cref="Open"/>, or <c>keys.wrong-root</c>.</exception>
    public static async Task<(KeyRing Ring, RootProtector Settled)> Unseal(RootProtector protector, string folder, Store store, RootSecret secret, TimeProvider clock, CancellationToken cancel)
    {
        using var wrapping = await protector.Wrapping(secret, cancel);
        using var root = protector.Unwrap(wrapping, protector.Wrapped);
        if (protector.Next is not { } wrapped)
        {
            return (await KeyRing.Open(store, root, clock, cancel), protector);
        }

        KeyRing ring;
        RootProtector settled;
        try
        {
            ring = await KeyRing.Open(store, root, clock, cancel);
            settled = protector with { Next = null };
        }
        catch (RefusedInput wrong) when (wrong.Code == KeyRing.WrongRoot)
        {
            using var next = protector.Unwrap(wrapping, wrapped);
            ring = await KeyRing.Open(store, next, clock, cancel);
            settled = protector with { Wrapped = wrapped, Next = null };
        }

        try
        {
            settled.Save(folder);
            return (ring, settled);
        }
        catch
        {
            ring.Dispose();
            throw;
        }
    }

    /// <summary>The same root key under another protector. Nothing is stored yet, but a new key file, which is written durably, or a new key in a token.</summary>
    /// <param name="folder">The data folder, from whose volume a key file is to be apart.</param>
    /// <param name="root">The root key.</param>
    /// <param name="wanted">The new secret.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput"><c>keys.same-volume</c>, <c>keys.file-exists</c>, <c>keys.passphrase-short</c>, <c>keys.no-secret</c>, or a <c>tpm.</c> or <c>token.</c> code.</exception>
    public async Task<RootProtector> Under(string folder, KeyMaterial root, RootSecret wanted, CancellationToken cancel)
    {
        var (made, wrapping) = await Made(folder, wanted, Facility, FacilityName, cancel);
        using (wrapping)
        {
            return made with { Wrapped = KeyWrap.WrapBound(wrapping, root, made.Context()) };
        }
    }

    /// <summary>With a root key to come beside the one in use, under the same protector.</summary>
    /// <exception cref="RefusedInput">A code of <see cref="Open"/>: the secret is not this protector's.</exception>
    public async Task<RootProtector> WithNext(RootSecret secret, KeyMaterial next, CancellationToken cancel)
    {
        using var wrapping = await Wrapping(secret, cancel);
        using (Unwrap(wrapping, Wrapped))
        {
            return this with { Next = KeyWrap.WrapBound(wrapping, next, Context()) };
        }
    }

    /// <summary>Takes back what was put elsewhere for this protector: a new key file, a new key in a token. ONLY where no root.json names it.</summary>
    /// <param name="wanted">The secret that it was made for.</param>
    public async Task Abandon(RootSecret wanted)
    {
        if (KeyFile is { } file)
        {
            File.Delete(file);
        }

        if (Token is { } token)
        {
            // Whoever gave up before does not give up on this.
            await TokenKey.Remove(token, wanted.Pin, CancellationToken.None);
        }
    }

    /// <summary>Writes root.json in the place of the one that is there; durable when it returns.</summary>
    public void Save(string folder) => DurableFile.Replace(PathIn(folder), Bytes());

    private byte[] Bytes() => JsonSerializer.SerializeToUtf8Bytes(this, RootProtectorJson.Default.RootProtector);

    /// <summary>A protector without its root key yet, and the key that will wrap it. A key file is written, or a key made in a token.</summary>
    private static async Task<(RootProtector Protector, KeyMaterial Wrapping)> Made(string folder, RootSecret secret, Guid facility, string facilityName, CancellationToken cancel)
    {
        var salt = RandomNumberGenerator.GetBytes(32);
        if (secret.ForBackups is { Length: < ShortestPassphrase })
        {
            throw new RefusedInput("keys.passphrase-short", "Use a passphrase of at least 15 characters for the backups.");
        }

        if (secret.Tpm is { } tpm)
        {
            var sealing = KeyMaterial.Generate();
            try
            {
                var seal = await TpmKey.Seal(sealing, tpm, secret.Pin, cancel);
                return (new RootProtector { Format = HardwareFormat, Facility = facility, FacilityName = facilityName, Kind = ProtectorKind.Tpm, Salt = salt, Tpm = seal }, sealing);
            }
            catch
            {
                sealing.Dispose();
                throw;
            }
        }

        if (secret.Token is { } token)
        {
            var (seal, made) = await TokenKey.Make(folder, token, secret.Pin, cancel);
            return (new RootProtector { Format = HardwareFormat, Facility = facility, FacilityName = facilityName, Kind = ProtectorKind.Token, Salt = salt, Token = seal }, made);
        }

        if (secret.KeyFile is { } file)
        {
            var path = Path.GetFullPath(file);
            if (File.Exists(path))
            {
                throw new RefusedInput("keys.file-exists", "The key file exists already. Name a new file: an existing one may be the key of another hospital.");
            }

            var sameVolume = Volumes.SameVolume(folder, path);
            if (sameVolume && !secret.AcceptSameVolume)
            {
                throw new RefusedInput(
                    "keys.same-volume",
                    "The key file would lie on the same volume as the data: one stolen disk would reveal everything. Name a file on another volume, use a passphrase, or accept the risk with --accept-same-volume.");
            }

            var key = KeyMaterial.Generate();
            WriteKeyFile(path, key);
            return (new RootProtector { Facility = facility, FacilityName = facilityName, Kind = ProtectorKind.KeyFile, KeyFile = path, Salt = salt, SameVolumeAccepted = sameVolume }, key);
        }

        var passphrase = secret.Passphrase ?? throw new RefusedInput("keys.no-secret", "Give a passphrase or a key file for the root key.");
        if (passphrase.Length < ShortestPassphrase)
        {
            throw new RefusedInput("keys.passphrase-short", "Use a passphrase of at least 15 characters.");
        }

        return (
            new RootProtector { Facility = facility, FacilityName = facilityName, Kind = ProtectorKind.Passphrase, Iterations = Rounds, Salt = salt },
            KeyDerivation.FromPassphrase(passphrase, salt, Rounds));
    }

    private static void WriteKeyFile(string path, KeyMaterial key)
    {
        var text = new byte[(2 * KeyMaterial.Size) + 1];
        try
        {
            _ = Convert.TryToHexString(key.Bytes, text, out var written);
            text[written] = (byte)'\n';
            DurableFile.Create(path, text);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }
}
