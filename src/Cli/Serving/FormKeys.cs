using System.Collections.Concurrent;
using System.Xml.Linq;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Vault;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace Mangrove.Cli.Serving;

/// <summary>
/// The framework's ring of keys for form tokens, kept sealed among the system's secrets instead of in clear files
/// (threat K13): each key is encrypted under a key of ours before the ring sees it, and the ring's element is sealed
/// again in the key store.
/// </summary>
/// <remarks>
/// The framework's interface cannot wait, so elements are read before the server starts, and a key that it stores is
/// only used after <see cref="Save"/> has put it down. Keys are made by <see cref="Renew"/> alone, never behind its back.
/// </remarks>
internal sealed class FormKeys : IXmlRepository, IDisposable
{
    private const string Prefix = "form-ring/";
    private const string WrappingName = "form-ring-key";

    private static readonly TimeSpan KeyLife = TimeSpan.FromDays(90);

    private readonly SystemSecrets secrets;
    private readonly KeyMaterial wrapping;
    private readonly List<XElement> elements;
    private readonly ConcurrentQueue<(string Name, XElement Element)> waiting = new();
    private readonly Lock gate = new();

    private FormKeys(SystemSecrets secrets, KeyMaterial wrapping, List<XElement> elements)
    {
        this.secrets = secrets;
        this.wrapping = wrapping;
        this.elements = elements;
    }

    public static async Task<FormKeys> Load(SystemSecrets secrets, CancellationToken cancel)
    {
        if (await secrets.Get(WrappingName, cancel) is not { } bytes)
        {
            using var fresh = KeyMaterial.Generate();
            bytes = fresh.Bytes.ToArray();
            await secrets.Put(WrappingName, bytes, cancel);
        }

        var key = KeyMaterial.From(bytes);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(bytes);
        var stored = new List<XElement>();
        foreach (var name in await secrets.Names(Prefix, cancel))
        {
            if (await secrets.Get(name, cancel) is { } element)
            {
                stored.Add(XElement.Parse(System.Text.Encoding.UTF8.GetString(element)));
            }
        }

        return new FormKeys(secrets, key, stored);
    }

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        lock (gate)
        {
            return [.. elements.Select(element => new XElement(element))];
        }
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        if (element.Descendants("value").Any())
        {
            throw new InvalidOperationException("A key of the form ring came without encryption. It is not stored.");
        }

        lock (gate)
        {
            elements.Add(new XElement(element));
        }

        waiting.Enqueue((Prefix + friendlyName, new XElement(element)));
    }

    /// <summary>Makes the next key in time, and puts down what the ring has stored.</summary>
    public async Task Renew(IKeyManager keys, TimeProvider clock, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (!keys.GetAllKeys().Any(key => !key.IsRevoked && key.ActivationDate <= now && key.ExpirationDate > now + (KeyLife / 3)))
        {
            keys.CreateNewKey(now, now + KeyLife);
        }

        await Save(cancel);
    }

    public SealedXml Encryptor() => new(wrapping);

    public void Dispose() => wrapping.Dispose();

    private async Task Save(CancellationToken cancel)
    {
        while (waiting.TryPeek(out var next))
        {
            await secrets.Put(next.Name, System.Text.Encoding.UTF8.GetBytes(next.Element.ToString(SaveOptions.DisableFormatting)), cancel);
            waiting.TryDequeue(out _);
        }
    }

    /// <summary>Seals and opens one element under the ring's own key. The framework makes it by itself to decrypt.</summary>
    internal sealed class SealedXml : IXmlEncryptor, IXmlDecryptor
    {
        private static readonly CellAddress Place = new(Guid.Empty, "form_ring", "element", Guid.Empty, Guid.Empty, 1);

        private readonly KeyMaterial wrapping;

        public SealedXml(KeyMaterial wrapping) => this.wrapping = wrapping;

        /// <summary>The form in which the framework makes a decryptor.</summary>
        public SealedXml(IServiceProvider services)
            : this(((FormKeys)(services.GetService(typeof(FormKeys)) ?? throw new InvalidOperationException("The form ring is not registered."))).wrapping)
        {
        }

        public EncryptedXmlInfo Encrypt(XElement plaintextElement)
        {
            var plain = System.Text.Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
            try
            {
                var bytes = Envelope.Seal(plain, wrapping, Guid.Empty, 1, Place, Padding.Padme);
                return new EncryptedXmlInfo(new XElement("sealed", Convert.ToBase64String(bytes)), typeof(SealedXml));
            }
            finally
            {
                System.Security.Cryptography.CryptographicOperations.ZeroMemory(plain);
            }
        }

        public XElement Decrypt(XElement encryptedElement)
        {
            try
            {
                return XElement.Parse(System.Text.Encoding.UTF8.GetString(Envelope.Open(Convert.FromBase64String(encryptedElement.Value), wrapping, Place)));
            }
            catch (SealBroken)
            {
                throw new RefusedInput("keys.form-ring", "A key of the form ring in keys.db is damaged. Restore keys.db from its own backup.");
            }
        }
    }
}
