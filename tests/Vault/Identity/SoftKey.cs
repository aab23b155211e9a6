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

    public const int Es256 = -7;
    public const int Es384 = -35;
    public const int Ps256 = -37;
    public const int Rs256 = -257;

    private readonly AsymmetricAlgorithm key;
    private readonly byte[] credential;
    private string? handle;

    public SoftKey()
        : this(Es256)
    {
    }

    /// <param name="algorithm">By its number at COSE (RFC 9053, RFC 8812).</param>
    /// <param name="bits">Of an RSA key.</param>
    public SoftKey(int algorithm, int bits = 2048)
        : this(algorithm is Es256 ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : algorithm is Es384 ? ECDsa.Create(ECCurve.NamedCurves.nistP384) : RSA.Create(bits), RandomNumberGenerator.GetBytes(32)) =>
        Algorithm = algorithm;

    private SoftKey(AsymmetricAlgorithm key, byte[] credential)
    {
        this.key = key;
        this.credential = credential;
    }

    /// <summary>What it says that it signs by.</summary>
    public int Algorithm { get; init; } = Es256;

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
        same.ImportECPrivateKey(((ECDsa)key).ExportECPrivateKey(), out _);
        return new SoftKey(same, credential) { Count = Count, handle = handle };
    }

    /// <summary>What a browser answers to <c>navigator.credentials.create</c>.</summary>
    public string Make(string options, string origin)
    {
        using var asked = JsonDocument.Parse(options);
        handle = asked.RootElement.GetProperty("user").GetProperty("id").GetString();
        var client = Client("webauthn.create", asked.RootElement.GetProperty("challenge").GetString()!, origin);
        var cose = Cose();
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)credential.Length);
        byte[] data = [.. Head(asked.RootElement.GetProperty("rp").GetProperty("id").GetString()!, HasCredential), .. new byte[16], .. length, .. credential, .. cose];
        byte[] attestation = [0xA3, 0x63, .. "fmt"u8, 0x64, .. "none"u8, 0x67, .. "attStmt"u8, 0xA0, 0x68, .. "authData"u8, 0x59, (byte)(data.Length >> 8), (byte)(data.Length & 0xFF), .. data];
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
        byte[] signed = [.. data, .. SHA256.HashData(client)];
        var signature = key switch
        {
            RSA rsa => rsa.SignData(signed, HashAlgorithmName.SHA256, Algorithm == Ps256 ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1),
            ECDsa curve => curve.SignData(signed, Algorithm == Es384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence),
            _ => throw new NotSupportedException(),
        };
        return Answer(new { clientDataJSON = Text(client), authenticatorData = Text(data), signature = Text(signature), userHandle = handle });
    }

    public void Dispose() => key.Dispose();

    private static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);

    /// <summary>The public key as COSE writes it (RFC 9053, 7.1; RFC 8230, 4), byte by byte.</summary>
    private byte[] Cose()
    {
        if (key is RSA rsa)
        {
            var n = rsa.ExportParameters(includePrivateParameters: false);
            byte[] by = Algorithm == Rs256 ? [0x39, 0x01, 0x00] : [0x38, 0x24];
            return [0xA4, 0x01, 0x03, 0x03, .. by, 0x20, 0x59, (byte)(n.Modulus!.Length >> 8), (byte)(n.Modulus.Length & 0xFF), .. n.Modulus, 0x21, 0x43, .. n.Exponent!];
        }

        var point = ((ECDsa)key).ExportParameters(includePrivateParameters: false).Q;
        byte[] what = Algorithm == Es384 ? [0x38, 0x22, 0x20, 0x02] : [0x26, 0x20, 0x01];
        var length = (byte)point.X!.Length;
        return [0xA5, 0x01, 0x02, 0x03, .. what, 0x21, 0x58, length, .. point.X, 0x22, 0x58, length, .. point.Y!];
    }

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
