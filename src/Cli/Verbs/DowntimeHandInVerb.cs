using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;
using Mangrove.Cli.Downtime;

namespace Mangrove.Cli.Verbs;

/// <summary>Writes what people did at a read-only copy into the hospital's own log.</summary>
internal sealed class DowntimeHandInVerb : HospitalVerb
{
    private readonly Option<string> from = new("--from") { Description = "The data folder of the copy, which was stopped, or its folder 'logs'.", HelpName = "DIR", Required = true };

    public DowntimeHandInVerb()
        : base("hand-in", "Write what people looked at in a read-only copy into this hospital's log, each with its own time. Each look is taken once.", "downtime", actsAsSomebody: true) =>
        Add(from);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var (taken, known) = (0, 0);
        var logs = DowntimeFolder.LogsIn(call.Full(arguments.GetValue(from)!));
        foreach (var log in logs)
        {
            call.Say($"handing in {Path.GetFileName(log)}");
            var done = (await hospital.Vault.Copies.HandIn(actor, log, cancel)).Value;
            taken += done.Taken;
            known += done.Known;
        }

        return Answer.Of(
            new { logs = logs.Count, taken, known },
            string.Create(CultureInfo.InvariantCulture, $"{logs.Count} logs of read-only copies: {taken:#,##0} entries were written into this hospital's log, {known:#,##0} were there already. The logs may be removed now."));
    }
}
