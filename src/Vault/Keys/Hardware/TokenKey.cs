using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Keys.Hardware;

/// <summary>Which key of which token, as it stands in root.json. It holds no secret.</summary>
internal sealed record TokenSeal
{
    /// <summary>
    /// The PKCS#11 module, an absolute path. Not bound to the wrapped root key: a new version of the system may put it
    /// elsewhere, and the administrator then corrects root.json.
    /// </summary>
    public string Module { get; init; } = string.Empty;

    /// <summary>CKA_LABEL of the token.</summary>
    public string Label { get; init; } = string.Empty;

    /// <summary>CKA_ID of the key: 16 random bytes.</summary>
    public byte[] Id { get; init; } = [];

    /// <summary>32 random bytes. What the token makes of them is the secret.</summary>
    public byte[] Challenge { get; init; } = [];
}

/// <summary>
/// A key in a PKCS#11 token, through OpenSC's pkcs11-tool. The token makes an AES-256 key that it never gives out; what
/// wraps the root key is derived from the token's encryption of a random challenge (two blocks, CBC, so that every
/// token that knows AES can do it). Every use asks for the PIN.
/// </summary>
internal static partial class TokenKey
{
    private const string Tool = "pkcs11-tool";
    private const string PinVariable = "MANGROVE_TOKEN_PIN";
    private const string NoVector = "00000000000000000000000000000000";
    private const string Foreign = "token.foreign";
    private const int LongestLabel = 32;
    private const int LongestPin = 255;

    /// <summary>Makes a key in the token.</summary>
    /// <param name="folder">The data folder; the module may not lie in it.</param>
    /// <param name="wanted">Module and label of the token.</param>
    /// <param name="pin">The user's PIN.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput"><c>token.module-bad</c>, <c>token.label</c>, or a code of <see cref="Open"/>.</exception>
    public static async Task<(TokenSeal Seal, KeyMaterial Key)> Make(string folder, TokenWanted wanted, char[]? pin, CancellationToken cancel)
    {
        if (wanted.Label.Length is 0 or > LongestLabel || wanted.Label.Any(char.IsControl))
        {
            throw new RefusedInput("token.label", "Name the token by its label of 1 to 32 characters, such as pkcs11:hospital. 'pkcs11-tool --list-slots' shows it.");
        }

        var data = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        if (!Path.IsPathFullyQualified(wanted.Module) || Path.GetFullPath(wanted.Module).StartsWith(data, StringComparison.Ordinal))
        {
            throw new RefusedInput("token.module-bad", "Name the token's PKCS#11 module with --module, a whole path outside the data folder, such as /usr/lib/softhsm/libsofthsm2.so.");
        }

        var seal = new TokenSeal { Module = Path.GetFullPath(wanted.Module), Label = wanted.Label, Id = wanted.KeyId ?? RandomNumberGenerator.GetBytes(16), Challenge = RandomNumberGenerator.GetBytes(32) };
        (await Run(seal, ["--keygen", "--key-type", "AES:32", "--sensitive", "--private", $"--label=mangrove-{Convert.ToHexStringLower(seal.Id.AsSpan(0, 4))}", $"--id={Convert.ToHexStringLower(seal.Id)}"], default, pin, cancel)).Dispose();
        try
        {
            return (seal, await Open(seal, pin, cancel));
        }
        catch
        {
            await Remove(seal, pin, cancel);
            throw;
        }
    }

    /// <summary>What the token makes of the challenge.</summary>
    /// <exception cref="RefusedInput">
    /// <c>token.pin-needed</c>, <c>token.pin-wrong</c>, <c>token.locked</c>, <c>token.missing</c>: no token of that label; <c>token.foreign</c>: it
    /// does not hold the key; <c>token.module-bad</c>, <c>token.refused</c>, or a code of <see cref="ToolRun"/>.
    /// </exception>
    public static async Task<KeyMaterial> Open(TokenSeal seal, char[]? pin, CancellationToken cancel)
    {
        using var answer = await Run(seal, ["--encrypt", "--mechanism", "AES-CBC", $"--iv={NoVector}", $"--id={Convert.ToHexStringLower(seal.Id)}"], seal.Challenge, pin, cancel);
        if (answer.Output.Length != KeyMaterial.Size || answer.Output.AsSpan().SequenceEqual(seal.Challenge))
        {
            throw new RefusedInput("token.refused", "The token gave something else than two blocks. It needs AES in CBC mode; look whether the system's opensc is in order.");
        }

        using var made = KeyMaterial.From(answer.Output);
        return KeyDerivation.Derive(made, seal.Challenge, "mangrove/root/token/1"u8);
    }

    /// <summary>Takes back a key that nothing rests on.</summary>
    public static async Task Remove(TokenSeal seal, char[]? pin, CancellationToken cancel)
    {
        try
        {
            await Delete(seal, pin, cancel);
        }
        catch (RefusedInput)
        {
            // What went wrong before is what the person has to hear. A key that stays in the token opens nothing.
        }
    }

    /// <summary>The same, where that it is gone is what the person wants: a key that is not there is as well.</summary>
    /// <exception cref="RefusedInput">A code of <see cref="Open"/>, but not that the token does not hold it.</exception>
    public static async Task RemoveForSure(TokenSeal seal, char[]? pin, CancellationToken cancel)
    {
        try
        {
            await Delete(seal, pin, cancel);
        }
        catch (RefusedInput refused) when (refused.Code == Foreign)
        {
            // The set-up was cut off before the token had made it.
        }
    }

    private static async Task Delete(TokenSeal seal, char[]? pin, CancellationToken cancel) =>
        (await Run(seal, ["--delete-object", "--type", "secrkey", $"--id={Convert.ToHexStringLower(seal.Id)}"], default, pin, cancel)).Dispose();

    private static async Task<ToolAnswer> Run(TokenSeal seal, string[] arguments, ReadOnlyMemory<byte> input, char[]? pin, CancellationToken cancel)
    {
        if (pin is not { Length: > 0 and <= LongestPin } || pin.Any(char.IsControl))
        {
            throw new RefusedInput("token.pin-needed", "The token asks for its PIN. Give it with --pin-file or at the prompt.");
        }

        if (!File.Exists(seal.Module))
        {
            throw new RefusedInput("token.module-bad", "The token's PKCS#11 module is not there. Install it; where a new version of the system has moved it, correct the path in root.json.");
        }

        // The tool reads a PIN from its terminal or its environment and from nowhere else. A process's environment is for its
        // own account and root alone, who could ask the token themselves.
        var answer = await ToolRun.Run(
            Tool,
            [$"--module={seal.Module}", $"--token-label={seal.Label}", "--login", $"--pin=env:{PinVariable}", .. arguments],
            input,
            Path.GetPathRoot(seal.Module) ?? "/",
            new Dictionary<string, string>(StringComparer.Ordinal) { [PinVariable] = new string(pin) },
            cancel);
        if (answer.Ok)
        {
            return answer;
        }

        answer.Dispose();
        throw Reason(answer.Said);
    }

    /// <summary>What a person can do about it, by the return value (PKCS#11 3.0, 5.1.6) or OpenSC's own words.</summary>
    private static RefusedInput Reason(string said) => (Returned().Match(said) is { Success: true } found ? found.Value : "") switch
    {
        "CKR_PIN_INCORRECT" or "CKR_PIN_INVALID" or "CKR_PIN_LEN_RANGE" => new RefusedInput("token.pin-wrong", "The PIN of the token is wrong. The token counts wrong ones and locks itself after a few."),
        "CKR_PIN_LOCKED" => new RefusedInput("token.locked", "The token has locked itself after wrong PINs. Unlock it with its security officer's PIN, then try again."),
        "CKR_TOKEN_NOT_PRESENT" or "CKR_TOKEN_NOT_RECOGNIZED" or "CKR_DEVICE_REMOVED" => Absent(),
        _ when said.Contains("No slot", StringComparison.OrdinalIgnoreCase) => Absent(),
        _ when said.Contains("key not found", StringComparison.OrdinalIgnoreCase) || said.Contains("object not found", StringComparison.OrdinalIgnoreCase) => new RefusedInput(
            Foreign, "The token of that label does not hold this hospital's key. Plug in the one of set-up; if it is lost, restore the newest backup with its passphrase or sheets."),
        _ when said.Contains("Failed to load pkcs11 module", StringComparison.OrdinalIgnoreCase) || said.Contains("C_Initialize", StringComparison.Ordinal) => new RefusedInput(
            "token.module-bad", "The token's PKCS#11 module could not be started. Look whether it is installed, and whether the service account may read its configuration."),
        "" => new RefusedInput("token.refused", "The token refused. Nothing was changed. Try the same key with pkcs11-tool by hand to see why."),
        var other => new RefusedInput("token.refused", $"The token refused with {other}. Nothing was changed."),
    };

    private static RefusedInput Absent() => new("token.missing", "No token of that label is plugged in. Plug in the one of set-up; 'pkcs11-tool --list-slots' shows what is there.");

    // A warning about an attribute that a token does not have is no reason.
    [GeneratedRegex(@"(?<=^error: [^\r\n]*rv = )CKR_[A-Z_]{2,40}", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1_000)]
    private static partial Regex Returned();
}
