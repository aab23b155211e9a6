using System.Reflection;
using System.Security.Cryptography;
using Mangrove.Clinic;
using Mangrove.Clinic.Chart;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Sealing;
using Mangrove.Tests.Shared;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Audit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Mangrove.Tests.Clinic;

/// <summary>
/// Somebody who can write to the clinic's database puts ciphertexts where they do not belong. Every sealed column of the
/// model is tried: the columns, rows and values are made from the model itself, so a new column is tried too.
/// </summary>
public sealed class CellSwapTests
{
    private const string Broken = "SEAL_BROKEN";
    private static readonly MethodInfo Read = typeof(Opening).GetMethod(nameof(Opening.Read))!;
    private static readonly MethodInfo Set = typeof(Opening).GetMethod(nameof(Opening.Set))!;

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task Two_cells_that_change_places_do_not_open_and_the_log_says_so(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        PatientRef[] patients = [await hospital.Register(), await hospital.Register()];
        var cells = await Fill(hospital, patients);
        var admin = await hospital.As(Role.Admin);
        var request = new Request
        {
            Action = "SWAP_TEST",
            Purpose = Purpose.Portability,
            Patients = patients,
            Reads = [.. cells.Select(cell => cell.Field.As(cell.Field.CategoryOf(cell.Row))).Distinct()],
        };
        Assert.True(cells.Select(cell => cell.Column).Distinct(StringComparer.Ordinal).Count() >= 20);
        using var opening = await hospital.Door.Open(admin, request, default);
        Assert.All(cells, cell => Assert.Null(Tampered(opening, cell.Row, cell.Field)));

        var refused = 0;
        foreach (var (one, other) in Pairs(cells))
        {
            await Swap(hospital, one, other);
            foreach (var cell in (Cell[])[one, other])
            {
                var answer = Tampered(opening, await Fetch(hospital, cell), cell.Field);
                Assert.True(answer?.Code == SealBroken.StableCode, $"{one.Column} of {one.Row.Id} and {other.Column} of {other.Row.Id}: {cell.Column} opened");
                Assert.DoesNotContain("Exception", answer.Message, StringComparison.Ordinal);
                refused++;
            }

            await Swap(hospital, one, other);
        }

        // Put back, everything opens again: the refusals were for the places alone.
        foreach (var cell in cells)
        {
            Assert.Null(Tampered(opening, await Fetch(hospital, cell), cell.Field));
        }

        var entries = await hospital.Entries(Broken);
        Assert.Equal(refused, entries.Count);
        Assert.All(entries, entry => Assert.Equal((AuditOutcome.Refused, SealBroken.StableCode), (entry.Outcome, entry.Reason)));
        Assert.Equal(
            cells.Select(cell => cell.Field.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
            entries.SelectMany(entry => entry.FieldsAccessed).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        Assert.All(patients, patient => Assert.Contains(entries, entry => entry.Resource == $"patient:{patient.Mrn}"));
        TestContext.Current.SendDiagnosticMessage($"{kind}: {cells.Count} cells of {cells.Select(cell => cell.Column).Distinct(StringComparer.Ordinal).Count()} columns, {refused / 2} swaps");
    }

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task A_chart_with_another_patients_allergy_in_it_is_not_shown_at_all(StorageKind kind)
    {
        await using var hospital = await TestHospital.New(kind);
        var (one, _) = await hospital.Arrive();
        var (other, _) = await hospital.Arrive();
        var cells = await Fill(hospital, [one, other]);
        var doctor = await hospital.As(Role.Doctor);
        Assert.True((await hospital.Use<OpenChart>().Run(one.Id, null, doctor, default)).Ok);
        await Swap(
            hospital,
            cells.First(cell => cell.Row is Allergy && cell.Row.PatientId == one.Id),
            cells.First(cell => cell.Row is Allergy && cell.Row.PatientId == other.Id));
        foreach (var patient in (PatientRef[])[one, other])
        {
            await Assert.ThrowsAsync<SealBroken>(() => hospital.Use<OpenChart>().Run(patient.Id, null, doctor, default));
            var entry = Assert.Single(await hospital.Entries(patient, Broken));
            Assert.Equal(("doctor", Allergy.RecordField.Name), (entry.Actor, Assert.Single(entry.FieldsAccessed)));
        }
    }

    /// <summary>
    /// The pairs to try: within a column other patient and same patient, every other column of the same type, and one cell
    /// of every column with one of every other. With MANGROVE_FULL=1 every pair there is.
    /// </summary>
    private static IEnumerable<(Cell One, Cell Other)> Pairs(List<Cell> cells)
    {
        var first = cells.GroupBy(cell => cell.Column, StringComparer.Ordinal).Select(column => column.First()).ToHashSet();
        for (var i = 0; i < cells.Count; i++)
        {
            for (var j = i + 1; j < cells.Count; j++)
            {
                if (SharedData.Full || cells[i].Column == cells[j].Column || cells[i].Value == cells[j].Value || (first.Contains(cells[i]) && first.Contains(cells[j])))
                {
                    yield return (cells[i], cells[j]);
                }
            }
        }
    }

    /// <summary>The refusal, or null when the cell opened.</summary>
    internal static SealBroken? Tampered(Opening opening, SealedRow row, Field field)
    {
        try
        {
            Assert.NotNull(Read.MakeGenericMethod(field.GetType().GetGenericArguments()).Invoke(opening, [row, field]));
            return null;
        }
        catch (TargetInvocationException outer) when (outer.InnerException is SealBroken broken)
        {
            return broken;
        }
    }

    /// <summary>Two rows of every kind for each patient, with a value in every sealed column.</summary>
    internal static async Task<List<Cell>> Fill(TestHospital hospital, PatientRef[] patients)
    {
        await using var clinic = hospital.Clinic();
        var entities = clinic.Model.GetEntityTypes().Where(entity => typeof(SealedRow).IsAssignableFrom(entity.ClrType)).ToList();
        foreach (var entity in entities)
        {
            var columns = entity.ClrType.GetProperties().Count(property => property.PropertyType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(Sealed<>));
            Assert.Equal(columns, Field.Of(entity.ClrType).Count);
        }

        var rows = new List<SealedRow>();
        foreach (var patient in patients)
        {
            foreach (var entity in entities)
            {
                if (entity.ClrType == typeof(Patient))
                {
                    rows.Add((await clinic.Patients.FindAsync(patient.Id.Value))!);
                    continue;
                }

                for (var i = 0; i < 2; i++)
                {
                    var row = Row(entity, patient.Id);
                    clinic.Add(row);
                    rows.Add(row);
                }
            }
        }

        var cells = rows.SelectMany(row => Field.Of(row.GetType()).Select(field => new Cell(row, field))).ToList();
        using var opening = await hospital.Door.Open(
            await hospital.As(Role.Admin),
            new Request
            {
                Action = "IMPORT_TEST",
                Purpose = Purpose.Portability,
                Patients = patients,
                Writes = [.. cells.Select(cell => cell.Field.As(cell.Field.CategoryOf(cell.Row))).Distinct()],
            },
            default);
        foreach (var cell in cells)
        {
            Set.MakeGenericMethod(cell.Field.GetType().GetGenericArguments()).Invoke(opening, [cell.Row, cell.Field, Value(cell.Value)]);
        }

        await clinic.SaveChangesAsync();
        return cells;
    }

    private static SealedRow Row(IEntityType entity, PatientId patient)
    {
        var row = (SealedRow)Activator.CreateInstance(entity.ClrType, nonPublic: true)!;
        entity.ClrType.GetProperty(nameof(SealedRow.PatientId))!.SetValue(row, patient);
        foreach (var property in entity.GetProperties().Where(property => property.PropertyInfo is { CanWrite: true } info && info.GetSetMethod(nonPublic: true) is not null))
        {
            var unique = property.Name != nameof(SealedRow.PatientId) && entity.GetIndexes().Any(index => index.IsUnique && index.Properties.Contains(property));
            if (property.ClrType.IsEnum)
            {
                property.PropertyInfo!.SetValue(row, Enum.GetValues(property.ClrType).GetValue(0));
            }
            else if (property.ClrType == typeof(string) || unique)
            {
                property.PropertyInfo!.SetValue(row, Value(property.ClrType));
            }
        }

        return row;
    }

    /// <summary>Some value of a type, made from its own longest constructor.</summary>
    private static object? Value(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return Value(inner);
        }

        return type switch
        {
            _ when type == typeof(string) => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)),
            _ when type == typeof(byte[]) => RandomNumberGenerator.GetBytes(24),
            _ when type == typeof(Guid) => Ids.New(),
            { IsEnum: true } => Enum.GetValues(type).GetValue(0),
            { IsPrimitive: true } or { Namespace: nameof(System) } => Activator.CreateInstance(type),
            { IsGenericType: true } when type.GetInterfaces().Contains(typeof(System.Collections.IEnumerable)) => Array.CreateInstance(type.GetGenericArguments()[0], 0),
            _ => Built(type),
        };
    }

    private static object Built(Type type)
    {
        var make = type.GetConstructors().Where(constructor => !constructor.GetParameters().Any(parameter => parameter.ParameterType == type))
            .MaxBy(constructor => constructor.GetParameters().Length);
        var made = make is null ? Activator.CreateInstance(type)! : make.Invoke([.. make.GetParameters().Select(parameter => Value(parameter.ParameterType))]);
        foreach (var required in type.GetProperties().Where(property => property.CanWrite && property.PropertyType == typeof(string)))
        {
            required.SetValue(made, Value(typeof(string)));
        }

        return made;
    }

    /// <summary>What somebody with the database's files or its password does: no door, no key.</summary>
    private static async Task Swap(TestHospital hospital, Cell one, Cell other)
    {
        await using var clinic = hospital.Clinic();
        var (first, second) = (await Column(clinic, one), await Column(clinic, other));
        var (envelope, foreign) = (Envelope(first), Envelope(second));
        first.CurrentValue = Activator.CreateInstance(first.Metadata.ClrType, foreign);
        second.CurrentValue = Activator.CreateInstance(second.Metadata.ClrType, envelope);
        Assert.Equal(one.Row.Id == other.Row.Id ? 1 : 2, await clinic.SaveChangesAsync());
    }

    private static async Task<PropertyEntry> Column(ClinicContext clinic, Cell cell)
    {
        var row = clinic.Entry((await clinic.FindAsync(cell.Row.GetType(), cell.Row.Id))!);
        return row.Properties.Single(property => property.Metadata.GetColumnName() == cell.Field.Column);
    }

    private static byte[] Envelope(PropertyEntry column) => (byte[])column.Metadata.ClrType.GetProperty("Envelope")!.GetValue(column.CurrentValue)!;

    internal static async Task<SealedRow> Fetch(TestHospital hospital, Cell cell)
    {
        await using var clinic = hospital.Clinic();
        return (SealedRow)(await clinic.FindAsync(cell.Row.GetType(), cell.Row.Id))!;
    }

    internal sealed record Cell(SealedRow Row, Field Field)
    {
        public string Column => $"{Field.Table}.{Field.Column}";

        public Type Value => Field.GetType().GetGenericArguments()[1];
    }
}
