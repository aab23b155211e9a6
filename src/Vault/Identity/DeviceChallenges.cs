using System.Buffers.Binary;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Vault.Identity;

/// <summary>What a device signs for; a proof of one use is worth nothing for another.</summary>
public enum DeviceProof
{
    Enrol = 1,
    SignIn = 2,
    Resume = 3,
}

/// <summary>
/// Numbers for devices to sign. A number carries its own time and a keyed check, so that asking for many fills no memory;
/// only one that was signed by a registered key is remembered, until it would have run out anyway, and taken once.
/// </summary>
internal sealed class DeviceChallenges(Peppers pepper, TimeProvider clock)
{
    private const int TimeSize = 8;
    private const int RandomSize = 16;
    private const int CheckSize = 16;
    private const int SignatureSize = 64;

    private static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, long> used = new(StringComparer.Ordinal);

    public static Error Refused { get; } = new("device.proof", "This browser could not show that it is the registered device. Load the page again; if that does not help, an administrator gives you a new code for it.");

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    public string New()
    {
        Span<byte> bytes = stackalloc byte[TimeSize + RandomSize + CheckSize];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Now);
        RandomNumberGenerator.Fill(bytes.Slice(TimeSize, RandomSize));
        pepper.Mac(Message(bytes)).Mac.AsSpan(0, CheckSize).CopyTo(bytes[(TimeSize + RandomSize)..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Whether a number of ours, not older than ten minutes, was signed for this use by this key, for the first time.</summary>
    public bool Signed(byte[] publicKey, DeviceProof use, string? nonce, string? signature)
    {
        Span<byte> mark = stackalloc byte[SignatureSize];
        if (!IsFresh(nonce) || signature is not { Length: > 0 and <= 128 } || !Convert.TryFromBase64String(signature, mark, out var size) || size != SignatureSize)
        {
            return false;
        }

        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(publicKey, out _);
        return key.VerifyData(Encoding.ASCII.GetBytes($"mangrove device {Word(use)} {nonce}"), mark, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
            && First(nonce!);
    }

    private static string Word(DeviceProof use) => use switch
    {
        DeviceProof.Enrol => "enrol",
        DeviceProof.SignIn => "sign-in",
        _ => "resume",
    };

    private bool IsFresh(string? nonce)
    {
        Span<byte> bytes = stackalloc byte[TimeSize + RandomSize + CheckSize];
        if (nonce is not { Length: > 0 and <= 64 } || !Base64Url.IsValid(nonce) || !Base64Url.TryDecodeFromChars(nonce, bytes, out var size) || size != bytes.Length)
        {
            return false;
        }

        // A number may be on its way while the pepper is rotated.
        var ours = false;
        foreach (var expected in pepper.MacsOf(Message(bytes)))
        {
            ours |= CryptographicOperations.FixedTimeEquals(expected.AsSpan(0, CheckSize), bytes[(TimeSize + RandomSize)..]);
        }

        var age = Now - BinaryPrimitives.ReadInt64BigEndian(bytes);
        return ours && age >= 0 && age < (long)Life.TotalMilliseconds;
    }

    private bool First(string nonce)
    {
        var old = Now - (long)Life.TotalMilliseconds;
        foreach (var (other, at) in used)
        {
            if (at < old)
            {
                used.TryRemove(other, out _);
            }
        }

        return used.TryAdd(nonce, Now);
    }

    private static byte[] Message(ReadOnlySpan<byte> bytes) => [.. "mangrove device challenge\0"u8, .. bytes[..(TimeSize + RandomSize)]];
}
