using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Find;

/// <summary>For administrators: whether a colleague may read a field of a patient, and why. Opens nothing.</summary>
public sealed class ExplainAccess(ClinicContext clinic, AccessQuestions questions)
{
    /// <param name="User">User name of the colleague.</param>
    /// <param name="Device">Registered name of a device; empty for any.</param>
    /// <param name="Mrn">Hospital number.</param>
    /// <param name="Field">Name of the field as the log writes it.</param>
    public sealed record Form(string User, string Device, string Mrn, string Field);

    /// <param name="Allowed">Whether nothing stands in the way.</param>
    /// <param name="Reasons">Everything that was looked at.</param>
    public sealed record Answer(bool Allowed, IReadOnlyList<AccessReason> Reasons);

    /// <returns>The answer, or <c>policy.field</c>, <c>patient.number</c>, <c>policy.user</c>, <c>device.unknown</c>.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<Answer>> Run(Form form, Actor admin, CancellationToken cancel)
    {
        var uses = RecordFields.Named(form.Field);
        if (uses.Count == 0)
        {
            return new Error("policy.field", "Choose a field from the list.");
        }

        if (!Mrn.TryParse(form.Mrn, out var mrn))
        {
            return new Error("patient.number", "This is not a hospital number: its check digit does not fit. Type it again.");
        }

        var number = mrn.ToString();
        var row = await clinic.Patients.AsNoTracking().FirstOrDefaultAsync(one => one.Mrn == number, cancel);

        // Whoever asks about a number that was never given gets the answer of a patient who is not in care.
        var subject = row?.Ref ?? new PatientRef(new PatientId(Guid.Empty), number);
        var reasons = new List<AccessReason>();
        var records = new List<bool>();
        foreach (var use in uses)
        {
            var asked = await questions.Ask(admin, form.User, form.Device, subject, use, cancel);
            if (asked.Error is { } error)
            {
                return error;
            }

            // Account and device are the same for each use of the field.
            reasons.AddRange(reasons.Count == 0 ? asked.Value : asked.Value.Where(reason => reason.What == "record"));
            records.Add(asked.Value.All(reason => reason.Refusal is null));
        }

        return new Answer(records.Contains(true), reasons);
    }
}
