using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Vault.Keys.Hardware;

/// <summary>A key sealed by a TPM, as it stands in root.json: worthless without that TPM.</summary>
internal sealed record TpmSeal
{
    /// <summary>TPM2B_PUBLIC of the sealed object.</summary>
    public byte[] Public { get; init; } = [];

    /// <summary>TPM2B_PRIVATE: encrypted under the storage primary, which never leaves the TPM.</summary>
    public byte[] Private { get; init; } = [];

    /// <summary>Registers of the boot, SHA-256 bank, whose values it is bound to; none where it is not.</summary>
    public int[] Pcrs { get; init; } = [];

    /// <summary>Whether it asks for a PIN, whose guesses the TPM counts.</summary>
    public bool Pin { get; init; }

    /// <summary>Where it asks for a PIN and is bound to the boot: the key, bound to registers, without which the PIN is none.</summary>
    public TpmSeal? Gate { get; init; }
}

/// <summary>
/// A key in a TPM 2.0, through the system's tpm2-tools. The parent is the storage primary of the owner hierarchy, made anew
/// each time from a fixed template: nothing is kept in the TPM, so nothing is left there and nothing can be used up. The
/// sealed object stands in root.json. What the TPM gives back travels encrypted to a key of its own (TCG TPM 2.0, part 1,
/// 21), so that who only listens to the bus learns nothing.
/// </summary>
internal static partial class TpmKey
{
    /// <summary>Names the TPM to the tools; where it is not set it is the one that the kernel manages.</summary>
    public const string AddressVariable = "TPM2TOOLS_TCTI";

    private const string KernelsTpm = "device:/dev/tpmrm0";
    private const int LastPcr = 23;
    private const int ShortestPin = 4;

    // The hash of the object's name is SHA-256, and the TPM takes no longer value to authorise with.
    private const int LongestPin = 32;

    // 192 bits as base64: ASCII of exactly the longest PIN.
    private const int BoundPinBytes = 24;

    // The parent asks for no PIN and is not locked: who guesses at another object's PIN must not shut the hospital out.
    private const string ParentAttributes = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt|noda";

    private static readonly string[] Quiet = ["-Q"];

    /// <summary>Seals a key.</summary>
    /// <param name="key">What is sealed.</param>
    /// <param name="wanted">Registers of the boot, if any.</param>
    /// <param name="pin">The PIN, or null.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusedInput"><c>tpm.registers</c>, <c>tpm.pin-length</c>, or a code of <see cref="Open"/>.</exception>
    public static async Task<TpmSeal> Seal(KeyMaterial key, TpmWanted wanted, char[]? pin, CancellationToken cancel)
    {
        var pcrs = wanted.BootRegisters.Distinct().Order().ToArray();
        if (pcrs.Any(one => one is < 0 or > LastPcr))
        {
            throw new RefusedInput("tpm.registers", "Registers of the boot are numbers from 0 to 23, such as tpm:pcrs=7.");
        }

        if (pcrs.Length > 0 && pin is not null)
        {
            return await SealToBoth(key, wanted, pin, cancel);
        }

        using var typed = pin is null ? null : new Pin(pin);
        using var folder = MemoryFolder.Make();
        await Parent(folder, cancel);
        List<string> create = ["-C", "parent.ctx", "-i", "-", "-u", "public", "-r", "private", "-g", "sha256"];
        if (pcrs.Length > 0)
        {
            await Step(folder, "tpm2_startauthsession", ["-S", "trial.ctx"], cancel);
            await Step(folder, "tpm2_policypcr", ["-S", "trial.ctx", "-l", Bank(pcrs), "-L", "policy", "-Q"], cancel);
            await Step(folder, "tpm2_flushcontext", ["trial.ctx"], cancel);
            create.AddRange(["-a", "fixedtpm|fixedparent|noda", "-L", "policy"]);
        }
        else if (typed is not null)
        {
            // Standard input is the key's; so the PIN lies for this one step in a file of a folder in memory.
            folder.Put("pin", typed.Bytes);
            create.AddRange(["-a", "fixedtpm|fixedparent|userwithauth", "-p", "file:pin"]);
        }
        else
        {
            create.AddRange(["-a", "fixedtpm|fixedparent|userwithauth|noda"]);
        }

        // The span must not live across an await: the tool is fed from a copy, which is zeroed.
        var copy = key.Bytes.ToArray();
        try
        {
            (await Run(folder, "tpm2_create", [.. create, .. Quiet], copy, cancel)).Dispose();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(copy);
        }

        await Forget(folder, cancel);
        var made = new TpmSeal { Public = folder.Take("public"), Private = folder.Take("private"), Pcrs = pcrs, Pin = typed is not null };

        // A seal that does not open would shut the hospital for good: it is tried before anything rests on it.
        using var back = await Open(made, pin, cancel);
        return CryptographicOperations.FixedTimeEquals(back.Bytes, key.Bytes)
            ? made
            : throw new RefusedInput("tpm.refused", "The TPM gave back another key than it was given. Nothing was changed; do not use this TPM.");
    }

    /// <summary>
    /// A PIN and the boot. In one policy (PolicyPCR and PolicyAuthValue) the tools take the PIN of the session from their
    /// arguments alone, which every process may read. So what the TPM asks for is no PIN that anybody types, but what the typed
    /// one and a key that is bound to the registers give together: started otherwise nobody can even try PINs, and started as
    /// it should be the TPM counts the wrong ones.
    /// </summary>
    private static async Task<TpmSeal> SealToBoth(KeyMaterial key, TpmWanted wanted, char[] pin, CancellationToken cancel)
    {
        using var gate = KeyMaterial.Generate();
        var bound = BoundPin(gate, pin);
        try
        {
            var gated = await Seal(gate, wanted, null, cancel);
            return await Seal(key, new TpmWanted([]), bound, cancel) with { Gate = gated };
        }
        finally
        {
            Array.Clear(bound);
        }
    }

    /// <exception cref="RefusedInput"><c>tpm.pin-length</c>.</exception>
    private static char[] BoundPin(KeyMaterial gate, char[] pin)
    {
        using var typed = new Pin(pin);
        using var both = KeyDerivation.Derive(gate, typed.Bytes, "mangrove/root/tpm-pin/1"u8);
        var bound = new char[LongestPin];
        return Convert.TryToBase64Chars(both.Bytes[..BoundPinBytes], bound, out var written) && written == bound.Length
            ? bound
            : throw new InvalidOperationException("A PIN that is bound to the boot has 32 characters.");
    }

    /// <summary>Opens a sealed key.</summary>
    /// <exception cref="RefusedInput">
    /// <c>tpm.missing</c>: no TPM answers; <c>tpm.foreign</c>: another one, or it was cleared; <c>tpm.pin-needed</c>,
    /// <c>tpm.pin-wrong</c>, <c>tpm.locked</c>: too many wrong PINs; <c>tpm.boot-differs</c>: the machine was started otherwise;
    /// <c>tpm.no-memory</c>, <c>tpm.refused</c>, or a code of <see cref="ToolRun"/>.
    /// </exception>
    public static async Task<KeyMaterial> Open(TpmSeal seal, char[]? pin, CancellationToken cancel)
    {
        if (seal.Pin && pin is null)
        {
            throw new RefusedInput("tpm.pin-needed", "The TPM asks for the PIN that was chosen for it. Give it with --pin-file or at the prompt.");
        }

        if (seal.Gate is { } gated)
        {
            using var gate = await Open(gated, null, cancel);
            var bound = BoundPin(gate, pin!);
            try
            {
                return await Open(seal with { Gate = null }, bound, cancel);
            }
            finally
            {
                Array.Clear(bound);
            }
        }

        using var typed = seal.Pin ? new Pin(pin!) : null;
        using var folder = MemoryFolder.Make();
        folder.Put("public", seal.Public);
        folder.Put("private", seal.Private);
        await Parent(folder, cancel);
        using (var loaded = await Call(folder, "tpm2_load", ["-C", "parent.ctx", "-u", "public", "-r", "private", "-c", "key.ctx", "-Q"], default, cancel))
        {
            if (!loaded.Ok)
            {
                // Whatever it says: this parent did not make this object.
                throw Reason(loaded.Said, new RefusedInput("tpm.foreign", "This is not the TPM that the root key was sealed to, or it was cleared. Put the disk back into its machine; if the TPM is gone, restore the newest backup with its passphrase or sheets."));
            }
        }

        await Forget(folder, cancel);
        await Step(folder, "tpm2_startauthsession", [seal.Pcrs.Length > 0 ? "--policy-session" : "--hmac-session", "-c", "parent.ctx", "-S", "session.ctx"], cancel);
        await Step(folder, "tpm2_sessionconfig", ["session.ctx", "--enable-encrypt"], cancel);
        if (seal.Pcrs.Length > 0)
        {
            await Step(folder, "tpm2_policypcr", ["-S", "session.ctx", "-l", Bank(seal.Pcrs), "-Q"], cancel);
        }

        string[] way = seal switch
        {
            { Pcrs.Length: > 0 } => ["-p", "session:session.ctx"],
            { Pin: true } => ["-S", "session.ctx", "-p", "file:-"],
            _ => ["-S", "session.ctx"],
        };
        try
        {
            using var answer = await Run(folder, "tpm2_unseal", ["-c", "key.ctx", .. way], typed is null ? default(ReadOnlyMemory<byte>) : typed.Bytes, cancel);
            return answer.Output.Length == KeyMaterial.Size
                ? KeyMaterial.From(answer.Output)
                : throw new RefusedInput("tpm.refused", "The TPM gave something else than a key. Look whether the system's tpm2-tools are in order.");
        }
        finally
        {
            // A session that stays fills the TPM's few places. Where it is gone already the tool says so, and that is as well.
            (await Call(folder, "tpm2_flushcontext", ["session.ctx"], default, CancellationToken.None)).Dispose();
            await Forget(folder, CancellationToken.None);
        }
    }

    private static async Task Parent(MemoryFolder folder, CancellationToken cancel) =>
        await Step(folder, "tpm2_createprimary", ["-C", "o", "-g", "sha256", "-G", "ecc256:aes128cfb", "-a", ParentAttributes, "-c", "parent.ctx", "-Q"], cancel);

    private static async Task Step(MemoryFolder folder, string tool, string[] arguments, CancellationToken cancel)
    {
        (await Run(folder, tool, arguments, default, cancel)).Dispose();
        await Forget(folder, cancel);
    }

    // Behind the kernel's manager each tool begins with an empty TPM. One that is spoken to directly keeps what was loaded.
    private static async Task Forget(MemoryFolder folder, CancellationToken cancel) =>
        (await Call(folder, "tpm2_flushcontext", ["-t"], default, cancel)).Dispose();

    private static async Task<ToolAnswer> Run(MemoryFolder folder, string tool, string[] arguments, ReadOnlyMemory<byte> input, CancellationToken cancel)
    {
        var answer = await Call(folder, tool, arguments, input, cancel);
        if (answer.Ok)
        {
            return answer;
        }

        answer.Dispose();
        throw Reason(answer.Said, new RefusedInput("tpm.refused", $"The TPM refused {tool}{(Number().Match(answer.Said) is { Success: true } found ? $" with {found.Groups["code"].Value}" : "")}. Nothing was changed. 'tpm2_rc_decode' explains the number."));
    }

    private static Task<ToolAnswer> Call(MemoryFolder folder, string tool, string[] arguments, ReadOnlyMemory<byte> input, CancellationToken cancel) => ToolRun.Run(
        tool,
        arguments,
        input,
        folder.Place,
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            // Left to themselves the tools would look for a simulator on the network's ports, which anybody on this machine may be.
            [AddressVariable] = Environment.GetEnvironmentVariable(AddressVariable) is { Length: > 0 } named ? named : KernelsTpm,
        },
        cancel);

    /// <summary>What a person can do about it, by the response code (TCG TPM 2.0, part 2, 6.6) in the tool's words.</summary>
    private static RefusedInput Reason(string said, RefusedInput otherwise) => Number().Match(said) switch
    {
        _ when said.Contains("tcti", StringComparison.OrdinalIgnoreCase) && !Number().IsMatch(said) => new RefusedInput(
            "tpm.missing", "No TPM answers. Look whether the firmware has it switched on, whether /dev/tpmrm0 is there, and whether the service account is in its group (tss)."),
        { Success: true } found when Code(found) is 0x98E or 0x9A2 => new RefusedInput("tpm.pin-wrong", "The PIN of the TPM is wrong. The TPM counts wrong ones and locks itself after a few."),
        { Success: true } found when Code(found) is 0x921 => new RefusedInput("tpm.locked", "The TPM has locked itself after wrong PINs. Wait as long as it asks for (often some minutes to hours) with the machine running, then give the right one."),
        { Success: true } found when Code(found) is 0x99D => new RefusedInput("tpm.boot-differs", "The machine was started otherwise than when the key was sealed: firmware, boot order or secure boot changed. Start it as it was, or restore the newest backup with its passphrase or sheets."),
        _ => otherwise,
    };

    private static int Code(Match found) => int.Parse(found.Groups["code"].ValueSpan[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static string Bank(int[] pcrs) => $"sha256:{string.Join(',', pcrs.Select(one => one.ToString(CultureInfo.InvariantCulture)))}";

    // ERROR: Esys_Unseal(0x98E) - tpm:session(1):...
    [GeneratedRegex(@"\((?<code>0x[0-9A-Fa-f]{2,7})\) - tpm", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Number();

    /// <summary>A PIN as the TPM takes it. Dispose zeroes it.</summary>
    private sealed class Pin : IDisposable
    {
        public Pin(char[] typed)
        {
            Bytes = Encoding.UTF8.GetBytes(typed);
            if (Bytes.Length is < ShortestPin or > LongestPin)
            {
                CryptographicOperations.ZeroMemory(Bytes);
                throw new RefusedInput("tpm.pin-length", "A PIN of the TPM has 4 to 32 characters.");
            }
        }

        public byte[] Bytes { get; }

        public void Dispose() => CryptographicOperations.ZeroMemory(Bytes);
    }
}
