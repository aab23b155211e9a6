using System.Reflection;
using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Governance.Destruction;

/// <summary>
/// Every row of a patient in the clinic's tables, whatever the table: those whose rows name a patient are found in the model, so that a
/// table that is added later is not forgotten. What names no patient (stock, prices, numbers drawn, the log's anchors) stays: the
/// hospital's books need it, and it says nothing of anybody.
/// </summary>
public sealed class PatientRows(IClinicDatabase clinics)
{
    private const int MostTyped = 20_000;

    private static readonly char[] Between = [' ', ',', ';', '\n', '\r', '\t'];

    private static readonly MethodInfo DeleteOne = typeof(OfOneType).GetMethod(nameof(OfOneType.Delete))!;
    private static readonly MethodInfo CountOne = typeof(OfOneType).GetMethod(nameof(OfOneType.Count))!;

    /// <summary>Finds patients by their hospital numbers.</summary>
    /// <param name="typed">Separated by spaces, commas or lines.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The patients, or <c>patient.number</c>.</returns>
    public async Task<Result<IReadOnlyList<PatientRef>>> Find(string? typed, CancellationToken cancel)
    {
        var numbers = (typed ?? string.Empty).Length > MostTyped ? [] : (typed ?? string.Empty).Split(Between, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var found = new List<PatientRef>();
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        foreach (var number in numbers)
        {
            if (!Mrn.TryParse(number, out var mrn))
            {
                return new Error("patient.number", "One of these is no hospital number: P-, digits and a check digit. Look at the paper again.");
            }

            var text = mrn.ToString();
            if (await clinic.Patients.AsNoTracking().FirstOrDefaultAsync(row => row.Mrn == text, cancel) is not { } patient)
            {
                return new Error("patient.number", "One of these numbers belongs to nobody here. Look at the paper again.");
            }

            found.Add(patient.Ref);
        }

        return found.Count == 0 ? new Error("patient.number", "Name the patients by their hospital numbers, separated by spaces.") : found;
    }

    /// <summary>Deletes every row of these patients, in one transaction.</summary>
    /// <returns>How many, by table, such as <c>clinic.note</c>; tables with none are left out.</returns>
    public async Task<IReadOnlyDictionary<string, long>> Erase(IReadOnlyList<PatientId> patients, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(patients);
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        await using var transaction = await clinic.Database.BeginTransactionAsync(cancel);
        var rows = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (type, table) in Tables(clinic))
        {
            var gone = 0L;
            foreach (var patient in patients)
            {
                gone += await (Task<int>)DeleteOne.MakeGenericMethod(type).Invoke(null, [clinic, patient, cancel])!;
            }

            if (gone > 0)
            {
                rows[table] = gone;
            }
        }

        await transaction.CommitAsync(CancellationToken.None);
        return rows;
    }

    /// <summary>How many rows these patients have in all tables.</summary>
    public async Task<long> Count(IReadOnlyList<PatientId> patients, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(patients);
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        var count = 0L;
        foreach (var (type, _) in Tables(clinic))
        {
            foreach (var patient in patients)
            {
                count += await (Task<int>)CountOne.MakeGenericMethod(type).Invoke(null, [clinic, patient, cancel])!;
            }
        }

        return count;
    }

    /// <summary>Whether the patient has a row of their own, without which there is none elsewhere: what each start asks of each tombstone.</summary>
    public async Task<long> Registered(PatientId patient, CancellationToken cancel)
    {
        await using var clinic = await clinics.CreateDbContextAsync(cancel);
        return await clinic.Patients.CountAsync(row => row.PatientId == patient, cancel);
    }

    /// <summary>The tables whose rows name a patient.</summary>
    internal static IReadOnlyList<(Type Row, string Table)> Tables(ClinicContext clinic) =>
    [
        .. clinic.Model.GetEntityTypes()
            .Where(entity => entity.FindProperty(nameof(SealedRow.PatientId)) is not null)
            .Select(entity => (entity.ClrType, $"clinic.{entity.GetTableName()}"))
            .OrderBy(entity => entity.Item2, StringComparer.Ordinal),
    ];

    /// <summary>What is done to the rows of one type, which is known when it runs.</summary>
    private static class OfOneType
    {
        public static Task<int> Delete<T>(ClinicContext clinic, PatientId patient, CancellationToken cancel)
            where T : class =>
            clinic.Set<T>().Where(row => EF.Property<PatientId>(row, nameof(SealedRow.PatientId)) == patient).ExecuteDeleteAsync(cancel);

        public static Task<int> Count<T>(ClinicContext clinic, PatientId patient, CancellationToken cancel)
            where T : class =>
            clinic.Set<T>().CountAsync(row => EF.Property<PatientId>(row, nameof(SealedRow.PatientId)) == patient, cancel);
    }
}
