using System.CommandLine;
using System.Globalization;
using System.Text;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault.Destruction;
using Mangrove.Vault.Identity;

namespace Mangrove.Cli.Verbs;

/// <summary>
/// Destroys the records of patients: proposed by one administrator, approved by another, carried out by either. What proposing and
/// approving ask for is a code of the phone, typed or from a file, never on the command line.
/// </summary>
internal sealed class PatientDestroyVerb : HospitalVerb
{
    private readonly Argument<string[]> numbers = new("MRN") { Description = "With --propose: hospital numbers of the patients.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<bool> propose = new("--propose") { Description = "Propose it. Another administrator has to approve." };
    private readonly Option<string?> approve = new("--approve") { Description = "Approve an order that another administrator proposed.", HelpName = "ORDER" };
    private readonly Option<string?> refuse = new("--refuse") { Description = "Say no to an order that another administrator proposed.", HelpName = "ORDER" };
    private readonly Option<string?> withdraw = new("--withdraw") { Description = "Take an order back that was not begun.", HelpName = "ORDER" };
    private readonly Option<string?> run = new("--run") { Description = "Carry out an approved order. It cannot be undone.", HelpName = "ORDER" };
    private readonly Option<bool> rotateRoot = new("--rotate-root") { Description = "With --run: change the root key too, so that copies of keys.db of before do not open with the one of today." };
    private readonly Option<string?> reason = new("--reason") { Description = $"With --propose: {string.Join(", ", Reasons.Keys)}.", HelpName = "REASON" };
    private readonly Option<string?> wordsFile = new("--words-file") { Description = "With --propose: a file that says why, for whoever has to approve it.", HelpName = "FILE" };
    private readonly Option<string?> codeFile = new("--code-file") { Description = "With --propose and --approve: a file whose first line is the code from the phone; asked for when left out.", HelpName = "FILE" };
    private readonly Option<string?> certificate = new("--certificate") { Description = "With --run: where the signed certificate is written too.", HelpName = "FILE" };

    public PatientDestroyVerb()
        : base("destroy", "Destroy the records of patients for good, in the hospital and in every backup that can be reached, and certify it. Two administrators.", "patient", actsAsSomebody: true)
    {
        Command.Arguments.Add(numbers);
        Add(propose, approve, refuse, withdraw, run, rotateRoot, reason, wordsFile, codeFile, certificate);
    }

    private static Dictionary<string, DestructionReason> Reasons { get; } = new(StringComparer.Ordinal)
    {
        ["retention-over"] = DestructionReason.RetentionOver,
        ["asked"] = DestructionReason.Asked,
        ["ordered"] = DestructionReason.Ordered,
        ["made-in-error"] = DestructionReason.MadeInError,
    };

    public override IReadOnlyList<string> AskHere(ParseResult arguments)
    {
        var acts = new[] { arguments.GetValue(propose), arguments.GetValue(approve) is not null, arguments.GetValue(refuse) is not null, arguments.GetValue(withdraw) is not null, arguments.GetValue(run) is not null };
        if (acts.Count(act => act) != 1 || (arguments.GetValue(numbers) is { Length: > 0 }) != acts[0])
        {
            throw new RefusedInput("destruction.one-act", "Say one of: MRN ... --propose, --approve ORDER, --refuse ORDER, --withdraw ORDER, --run ORDER.");
        }

        if (!(acts[0] || acts[1]) || arguments.GetValue(codeFile) is not null)
        {
            return [];
        }

        return CommandLine.Typed.Possible
            ? [new string(CommandLine.Typed.Ask("Code from the phone (or a recovery code): "))]
            : throw new RefusedInput("secret.needed", "Name the file of the code with --code-file; there is nobody to ask.");
    }

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var desk = hospital.Vault.Destruction;
        if (arguments.GetValue(propose))
        {
            var patients = (await hospital.Destruction.Find(string.Join(' ', arguments.GetValue(numbers)!), cancel)).Value;
            var why = Reasons.GetValueOrDefault(arguments.GetValue(reason) ?? string.Empty);
            var words = arguments.GetValue(wordsFile) is { } file ? await File.ReadAllTextAsync(call.Full(file), cancel) : null;
            return Said((await desk.Propose(actor, patients, why, words, Proof(arguments, call), cancel)).Value, "proposed. Another administrator approves it with --approve");
        }

        if (arguments.GetValue(approve) is { } approved)
        {
            return Said((await desk.Approve(actor, await Named(desk, approved, cancel), Proof(arguments, call), cancel)).Value, "approved. It is carried out with --run");
        }

        if (arguments.GetValue(refuse) is { } refused)
        {
            return Said((await desk.Refuse(actor, await Named(desk, refused, cancel), cancel)).Value, "refused. Nothing is destroyed");
        }

        if (arguments.GetValue(withdraw) is { } withdrawn)
        {
            return Said((await desk.Withdraw(actor, await Named(desk, withdrawn, cancel), cancel)).Value, "withdrawn. Nothing is destroyed");
        }

        var id = await Named(desk, arguments.GetValue(run), cancel);
        var path = arguments.GetValue(certificate) is { } named ? call.Full(named) : null;
        if (path is not null && File.Exists(path))
        {
            throw new RefusedInput("destruction.file-exists", "The file for the certificate is there already. Name another; nothing was begun.");
        }

        var order = (await hospital.Destruction.Run(actor, id, arguments.GetValue(rotateRoot) ? RootSecrets.Now(arguments, call) : null, call.Say, cancel)).Value;
        var stored = (await desk.Certificate(actor, id, cancel)).Value;
        if (path is not null)
        {
            Keep(path, stored);
        }

        return Answer.Of(
            new { order = order.Name, state = order.State.ToString(), complete = order.State == DestructionState.Done, certificate = DestructionCertificate.Parse(stored), sha256 = DestructionCertificate.DigestOf(stored), signed = Convert.ToBase64String(stored), file = path },
            Words(order, stored));
    }

    private static void Keep(string path, byte[] stored)
    {
        using var target = Durable.NewFile(path);
        target.Write(stored);
        target.Flush(flushToDisk: true);
    }

    private static string Words(DestructionOrder order, byte[] stored)
    {
        var said = DestructionCertificate.Parse(stored);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{order.Name}: {order.Patients.Count} records are destroyed, {said.Facts.Keys.Sum(key => key.Count)} keys, {said.Facts.Bundles.Count} key bundles of backups rewritten.\n");
        foreach (var target in said.Facts.Outstanding)
        {
            text.Append(CultureInfo.InvariantCulture, $"OUTSTANDING: {target}. Connect it; its bundles are rewritten by a running server within a minute.\n");
        }

        foreach (var limit in said.Limits)
        {
            text.Append(CultureInfo.InvariantCulture, $"- {limit}\n");
        }

        return text.Append(CultureInfo.InvariantCulture, $"Certificate: SHA-256 {DestructionCertificate.DigestOf(stored)}").ToString();
    }

    private static Answer Said(DestructionOrder order, string words) => Answer.Of(
        new { order = order.Name, state = order.State.ToString(), patients = order.Patients.Count, lapses = order.Lapses },
        string.Create(CultureInfo.InvariantCulture, $"{order.Name}, {order.Patients.Count} patients: {words}."));

    private static FactorProof Proof(ParseResult arguments, Call call, Option<string?> file) =>
        new(arguments.GetValue(file) is { } named ? new string(CommandLine.Typed.FirstLine(call.Full(named))) : call.Typed is [var typed] ? typed : null);

    private FactorProof Proof(ParseResult arguments, Call call) => Proof(arguments, call, codeFile);

    private static async Task<Guid> Named(DestructionDesk desk, string? name, CancellationToken cancel) =>
        await desk.Named(name, cancel) ?? throw new RefusedInput("destruction.no-order", "There is no such order. Look at the list of orders.");
}
