using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Mangrove.Tests.Vault.Identity;

/// <summary>
/// A security key in software, written from Web Authentication, Level 3 (6.1, 6.5, 5.8.1) and sharing no code with what
/// checks it. What it says can be bent, so that a test can show each thing that is refused.
/// </summary>
internal sealed class SoftKey : IDisposable
{
    private const byte UserPresent = 0x01;
    private const byte UserVerified = 0x04;
    private const byte MayBeCopied = 0x08;
    private const byte IsCopied = 0x10;
    private const byte HasCredential = 0x40;

    private readonly ECDsa key;
    private readonly byte[] credential;
    private string? handle;

    public SoftKey()
        : this(ECDsa.Create(ECCurve.NamedCurves.nistP256), RandomNumberGenerator.GetBytes(32))
    {
    }

    private SoftKey(ECDsa key, byte[] credential)
    {
        this.key = key;
        this.credential = credential;
    }

    /// <summary>What it counted to; 0 for ever where it does not count, as one that is carried from device to device.</summary>
    public uint Count { get; set; } = 1;

    public bool Verifies { get; set; } = true;

    public bool Present { get; set; } = true;

    /// <summary>Whether it may be carried to other devices, and says so.</summary>
    public bool Copies { get; init; }

    /// <summary>Where the browser is, if not where the options say.</summary>
    public string? Name { get; set; }

    public bool CrossOrigin { get; set; }

    public string? Handle { get => handle; set => handle = value; }

    public string Mark => Convert.ToHexStringLower(SHA256.HashData(credential).AsSpan(0, 4));

    /// <summary>The same key a second time, as somebody would have it who took it apart.</summary>
    public SoftKey Copy()
    {
        var same = ECDsa.Create();
        same.ImportECPrivateKey(key.ExportECPrivateKey(), out _);
        return new SoftKey(same, credential) { Count = Count, handle = handle };
    }

    /// <summary>What a browser answers to <c>navigator.credentials.create</c>.</summary>
    public string Make(string options, string origin)
    {
        using var asked = JsonDocument.Parse(options);
        handle = asked.RootElement.GetProperty("user").GetProperty("id").GetString();
        var client = Client("webauthn.create", asked.RootElement.GetProperty("challenge").GetString()!, origin);
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        byte[] cose = [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20, .. point.X!, 0x22, 0x58, 0x20, .. point.Y!];
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)credential.Length);
        byte[] data = [.. Head(asked.RootElement.GetProperty("rp").GetProperty("id").GetString()!, HasCredential), .. new byte[16], .. length, .. credential, .. cose];
        byte[] attestation = [0xA3, 0x63, .. "fmt"u8, 0x64, .. "none"u8, 0x67, .. "attStmt"u8, 0xA0, 0x68, .. "authData"u8, 0x58, (byte)data.Length, .. data];
        return Answer(new { clientDataJSON = Text(client), attestationObject = Text(attestation), transports = (string[])["usb", "nfc", "a word that nobody knows"] });
    }

    /// <summary>What a browser answers to <c>navigator.credentials.get</c>.</summary>
    public string Show(string options, string origin)
    {
        using var asked = JsonDocument.Parse(options);
        if (Count > 0)
        {
            Count++;
        }

        var client = Client("webauthn.get", asked.RootElement.GetProperty("challenge").GetString()!, origin);
        var data = Head(asked.RootElement.GetProperty("rpId").GetString()!, 0);
        var signature = key.SignData([.. data, .. SHA256.HashData(client)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        return Answer(new { clientDataJSON = Text(client), authenticatorData = Text(data), signature = Text(signature), userHandle = handle });
    }

    public void Dispose() => key.Dispose();

    private static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);

    private byte[] Head(string name, byte flags)
    {
        var count = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(count, Count);
        var all = (byte)(flags | (Present ? UserPresent : 0) | (Verifies ? UserVerified : 0) | (Copies ? MayBeCopied | IsCopied : 0));
        return [.. SHA256.HashData(Encoding.UTF8.GetBytes(Name ?? name)), all, .. count];
    }

    private byte[] Client(string type, string challenge, string origin) =>
        JsonSerializer.SerializeToUtf8Bytes(new { type, challenge, origin, crossOrigin = CrossOrigin });

    private string Answer(object response) =>
        JsonSerializer.Serialize(new { id = Text(credential), rawId = Text(credential), type = "public-key", clientExtensionResults = new { }, response });
}
