using Mangrove.Clinic;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Destruction;
using Mangrove.Vault.Holds;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Governance.Retention;

/// <summary>Why a record must stay now.</summary>
/// <param name="Patient">Whose.</param>
/// <param name="Reason">
/// <c>retention.hold</c>, <c>retention.no-policy</c>, <c>retention.period</c> or <c>retention.clock</c>, with words for people that say
/// nothing of the patient: not even a day, which for a minor would tell the birth.
/// </param>
public sealed record RetentionObjection(PatientId Patient, Error Reason);

/// <summary>
/// What retention has against the destruction of records, asked anew at the moment: whoever destroys MUST ask it right before,
/// and MUST destroy none of those that it names. What cannot be read or is not here stays.
/// </summary>
public sealed class RetentionObjections(IDbContextFactory<ClinicContext> clinics, RetentionDesk retention, HoldDesk holds, TimeProvider clock) : IDestructionObjection
{
    private static readonly Error Held = new("retention.hold", "A legal hold keeps this record. Another person than the one who placed it releases it on the page Legal holds, when the case is over.");
    private static readonly Error NoPolicy = new("retention.no-policy", "This hospital has adopted no rules of retention. An administrator does, on the page Rules of retention.");
    private static readonly Error Period = new("retention.period", "The period for which this record must be kept is not over. It comes to the list of what is due by itself.");
    private static readonly Error Care = new("retention.period", "A visit of this patient is open. Close it at the cashier; its period begins then.");
    private static readonly Error Unread = new("retention.period", "The dates of this record cannot be read, so that its period cannot be counted. It stays.");
    private static readonly Error Clock = new("retention.clock", "By the server's clock the period is over, but the log and the backups have not seen that time pass. Was the clock set, or the server off for long, or are there no backups?");

    public async Task<IReadOnlyList<DestructionObstacle>> Against(IReadOnlyList<PatientRef> patients, CancellationToken cancel) =>
        [.. (await Ask([.. patients.Select(patient => patient.Id)], cancel)).Select(one => new DestructionObstacle(one.Patient, one.Reason.Code, one.Reason.Message))];

    /// <summary>Those of the patients whose records must stay, each with the first reason; none for the others. The look at dates of birth is an entry that names them.</summary>
    /// <exception cref="Vault.Audit.AuditUnavailable">The log cannot be written: nothing is read, and nothing may be destroyed.</exception>
    public async Task<IReadOnlyList<RetentionObjection>> Ask(IReadOnlyCollection<PatientId> patients, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(patients);
        var wanted = patients.Distinct().ToList();
        var policy = await retention.Policy(cancel);
        var held = await holds.Held(cancel);
        if (policy.Country is null || wanted.TrueForAll(held.Holds))
        {
            return [.. wanted.Select(patient => new RetentionObjection(patient, held.Holds(patient) ? Held : NoPolicy))];
        }

        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        var reader = new HistoryReader(clinic, clock.LocalTimeZone);
        var rows = (await reader.Of(wanted, cancel)).ToDictionary(row => row.PatientId);
        var histories = await reader.Histories(rows.Values, cancel);
        var time = await retention.Time(cancel);
        var today = time.Agreed is { } agreed ? DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(agreed, clock.LocalTimeZone).DateTime) : (DateOnly?)null;
        var wall = clock.LocalToday();
        var found = new List<RetentionObjection>();
        await retention.Check(
            [.. rows.Values.Select(row => row.Ref)],
            HistoryReader.Fields,
            opening =>
            {
                foreach (var patient in wanted)
                {
                    if (Reason(opening, patient) is { } reason)
                    {
                        found.Add(new RetentionObjection(patient, reason));
                    }
                }
            },
            cancel);
        return found;

        Error? Reason(Opening opening, PatientId patient)
        {
            if (held.Holds(patient))
            {
                return Held;
            }

            if (!rows.TryGetValue(patient, out var row))
            {
                return Unread;
            }

            if (histories[patient].InCare)
            {
                return Care;
            }

            if (DueList.Whole(opening, row, histories[patient]) is not { } history)
            {
                return Unread;
            }

            var until = RetentionCalculator.Until(history, policy).Day;
            return until >= wall ? Period : until < today ? null : Clock;
        }
    }
}
