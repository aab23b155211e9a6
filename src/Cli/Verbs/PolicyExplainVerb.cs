using System.CommandLine;
using Mangrove.Cli.CommandLine;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Cli.Verbs;

/// <summary>Says why the person named may read a field of a patient, or may not. Opens nothing; the question is an entry.</summary>
internal sealed class PolicyExplainVerb : HospitalVerb
{
    private readonly Option<string> patient = new("--patient") { Description = "Hospital number of the patient.", HelpName = "MRN", Required = true };
    private readonly Option<string> field = new("--field") { Description = "Name of the field as the log writes it, such as diagnosis.", HelpName = "NAME", Required = true };

    public PolicyExplainVerb()
        : base("explain", "Say why the user may read a field of a patient, or may not.", "policy", actsAsSomebody: true) =>
        Add(patient, field);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var name = arguments.GetValue(field)!;
        var uses = RecordFields.Named(name);
        if (uses.Count == 0)
        {
            throw new RefusedInput("policy.field", $"No field is called {name}. Use one of: {string.Join(", ", RecordFields.Names)}.");
        }

        if (!Mrn.TryParse(arguments.GetValue(patient), out var mrn))
        {
            throw new RefusedInput("patient.number", "This is not a hospital number: its check digit does not fit. Type it again.");
        }

        var actor = await Actor(hospital, arguments, call, cancel);
        await using var clinic = await hospital.Clinics.CreateDbContextAsync(cancel);
        var number = mrn.ToString();
        var row = await clinic.Patients.AsNoTracking().FirstOrDefaultAsync(one => one.Mrn == number, cancel);

        // Whoever asks about a number that was never given gets the answer of a patient who is not in care.
        var subject = row?.Ref ?? new PatientRef(new PatientId(Guid.Empty), number);
        var reasons = new List<string>();
        var allowed = false;
        foreach (var use in uses)
        {
            var (yes, reason) = await Explain(hospital, actor, subject, use, cancel);
            allowed |= yes;
            reasons.Add(uses.Count == 1 ? reason : $"{use.Category}: {reason}");
        }

        return Answer.Of(new { allowed, reasons }, $"{(allowed ? "Allowed" : "Refused")}\n{string.Join('\n', reasons)}", allowed ? ExitCode.Success : ExitCode.Wrong);
    }

    private static async Task<(bool Allowed, string Reason)> Explain(Hospital hospital, Actor actor, PatientRef patient, FieldUse use, CancellationToken cancel)
    {
        var rights = RoleMatrix.Of(actor.Role!.Value);
        var refusal = await hospital.Vault.Door.Explain(
            actor,
            actor,
            new Request { Action = "EXPLAIN_POLICY", Purpose = rights.Purposes.First(), Patients = [patient], Reads = [use] },
            cancel);
        if (refusal is not null)
        {
            return (false, refusal.ToString());
        }

        var care = rights.NeedsCareRelationship ? ", and the patient is in care here now" : "";
        return (true, $"The role {actor.Role.Value.Title()} reads {use.Category} for {rights.Purposes.First()}{care}.");
    }
}
