using System.Text.Json;
using Microsoft.Playwright;

namespace Mangrove.Tests.Acceptance.Day;

/// <summary>A security key that the browser itself plays (WebAuthn domain of the DevTools protocol).</summary>
internal sealed class VirtualKey(ICDPSession session, string id)
{
    public static async Task<VirtualKey> Plug(IBrowserContext context, IPage page)
    {
        var session = await context.NewCDPSessionAsync(page);
        await session.SendAsync("WebAuthn.enable");
        var options = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["protocol"] = "ctap2", ["transport"] = "usb", ["hasResidentKey"] = true, ["hasUserVerification"] = true, ["isUserVerified"] = true, ["automaticPresenceSimulation"] = true,
        };
        var added = await session.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>(StringComparer.Ordinal) { ["options"] = options });
        return new VirtualKey(session, added!.Value.GetProperty("authenticatorId").GetString()!);
    }

    public async Task<int> Count() => (await Credentials()).GetArrayLength();

    /// <summary>Whether its owner shows a finger.</summary>
    public async Task Agree(bool yes) => await Send("WebAuthn.setUserVerified", "isUserVerified", yes);

    public async Task CountBack()
    {
        foreach (var one in (await Credentials()).EnumerateArray())
        {
            var copy = one.EnumerateObject().ToDictionary(part => part.Name, part => part.Name == "signCount" ? (object)0 : part.Value, StringComparer.Ordinal);
            await Send("WebAuthn.removeCredential", "credentialId", one.GetProperty("credentialId").GetString()!);
            await Send("WebAuthn.addCredential", "credential", copy);
        }
    }

    private async Task<JsonElement> Credentials() =>
        (await session.SendAsync("WebAuthn.getCredentials", new Dictionary<string, object>(StringComparer.Ordinal) { ["authenticatorId"] = id }))!.Value.GetProperty("credentials");

    private Task<JsonElement?> Send(string method, string name, object value) =>
        session.SendAsync(method, new Dictionary<string, object>(StringComparer.Ordinal) { ["authenticatorId"] = id, [name] = value });
}
