using System.Globalization;
using System.Reflection;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Backups;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Mangrove.Clinic;

/// <summary>
/// The clinic's tables. It stores and finds sealed rows and cannot open one. Every commit also keeps the newest signed
/// checkpoint of the audit log, so that a log cut short is noticed against the records it describes.
/// </summary>
public abstract class ClinicContext(DbContextOptions options) : DbContext(QuietMapper.Checked(options))
{
    private const int Attempts = 4;

    private LogHead? log;

    public DbSet<Patient> Patients => Set<Patient>();

    public DbSet<Visit> Visits => Set<Visit>();

    public DbSet<TriageAssessment> Triages => Set<TriageAssessment>();

    public DbSet<Observation> Observations => Set<Observation>();

    public DbSet<Allergy> Allergies => Set<Allergy>();

    public DbSet<Problem> Problems => Set<Problem>();

    public DbSet<Note> Notes => Set<Note>();

    public DbSet<Prescription> Prescriptions => Set<Prescription>();

    public DbSet<Dispense> Dispenses => Set<Dispense>();

    public DbSet<LabOrder> LabOrders => Set<LabOrder>();

    public DbSet<Procedure> Procedures => Set<Procedure>();

    public DbSet<Immunization> Immunizations => Set<Immunization>();

    public DbSet<DiagnosticReport> Reports => Set<DiagnosticReport>();

    public DbSet<FhirRecord> FhirRecords => Set<FhirRecord>();

    public DbSet<Charge> Charges => Set<Charge>();

    public DbSet<Invoice> Invoices => Set<Invoice>();

    public DbSet<Payment> Payments => Set<Payment>();

    public DbSet<PriceItem> Prices => Set<PriceItem>();

    public DbSet<StockBatch> StockBatches => Set<StockBatch>();

    public DbSet<StockMove> StockMoves => Set<StockMove>();

    public DbSet<Draft> Drafts => Set<Draft>();

    public DbSet<Counter> Counters => Set<Counter>();

    public DbSet<LogAnchor> Anchors => Set<LogAnchor>();

    public DbSet<ActMark> ActMarks => Set<ActMark>();

    public DbSet<ActSettlement> ActSettlements => Set<ActSettlement>();

    public DbSet<Setting> Settings => Set<Setting>();

    /// <summary>Whether the context's connection stays open and its own between two uses, and with it what was compiled on it.</summary>
    public virtual bool KeepsConnection => false;

    /// <summary>Says whose newest checkpoint the commits keep. Contexts are used again, so their factory says it each time.</summary>
    public void Follow(LogHead head) => log = head;

    /// <summary>
    /// Commits the changes with the log's newest checkpoint, in one transaction.
    /// </summary>
    /// <exception cref="RefusedInput"><c>record.changed</c>: somebody else changed the same row meanwhile; nothing was written.</exception>
    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await Commit(acceptAllChangesOnSuccess, cancellationToken);
            }
            catch (DbUpdateConcurrencyException collision)
            {
                if (attempt == Attempts || !collision.Entries.All(entry => entry is { Entity: Draft, State: EntityState.Deleted }))
                {
                    throw new RefusedInput("record.changed", "Somebody else changed this record meanwhile. Nothing was saved: open it again and repeat your change.");
                }

                // The act that takes its draft away is what its writer meant, whatever the page kept of it a moment ago.
                foreach (var draft in collision.Entries)
                {
                    await Refresh(draft, cancellationToken);
                }
            }
        }
    }

    /// <summary>
    /// Begins a transaction in which this visit is the caller's alone: whoever else wants it waits for the end. For acts
    /// that decide by what others may be writing at the same moment, such as two payments of one invoice.
    /// </summary>
    /// <remarks>Open the door before: the log's own anchors wait for this transaction on an embedded database.</remarks>
    public async Task<IDbContextTransaction> HoldVisit(Guid visit, CancellationToken cancel)
    {
        var transaction = await Database.BeginTransactionAsync(cancel);
        await Visits.Where(row => row.Id == visit).ExecuteUpdateAsync(row => row.SetProperty(held => held.Token, held => held.Token), cancel);
        return transaction;
    }

    /// <summary>As <see cref="HoldVisit"/>, for acts on a patient that has no visit yet.</summary>
    public async Task<IDbContextTransaction> HoldPatient(PatientId patient, CancellationToken cancel)
    {
        var transaction = await Database.BeginTransactionAsync(cancel);
        await Patients.Where(row => row.PatientId == patient).ExecuteUpdateAsync(row => row.SetProperty(held => held.EntrySeq, held => held.EntrySeq), cancel);
        return transaction;
    }

    /// <summary>Keeps a checkpoint; keeping one twice is no change.</summary>
    public async Task KeepAnchor(Checkpoint checkpoint, CancellationToken cancel)
    {
        var at = checkpoint.Time.UtcTicks;
        var bytes = checkpoint.ToBytes();
        await Database.ExecuteSqlAsync($"INSERT INTO log_anchor (size, checkpoint, at) VALUES ({checkpoint.Size}, {bytes}, {at}) ON CONFLICT (size) DO NOTHING", cancel);
    }

    /// <summary>Says, in the transaction of the records, that an entry of the log has them (threat A6).</summary>
    internal async Task Mark(long entry, CancellationToken cancel) =>
        await Database.ExecuteSqlAsync($"INSERT INTO act_mark (entry_seq) VALUES ({entry}) ON CONFLICT (entry_seq) DO NOTHING", cancel);

    /// <summary>The next value of a running number, from 1. A number drawn is never drawn again, also when the act fails.</summary>
    public async Task<long> Next(string counter, CancellationToken cancel)
    {
        var values = await Database
            .SqlQuery<long>($"INSERT INTO counter (name, value) VALUES ({counter}, 1) ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value AS \"Value\"")
            .ToListAsync(cancel);
        return values[0];
    }

    /// <summary>Draws <paramref name="count"/> running numbers at once and returns the first.</summary>
    public async Task<long> Next(string counter, int count, CancellationToken cancel)
    {
        var values = await Database
            .SqlQuery<long>($"INSERT INTO counter (name, value) VALUES ({counter}, {count}) ON CONFLICT (name) DO UPDATE SET value = counter.value + {count} RETURNING value AS \"Value\"")
            .ToListAsync(cancel);
        return values[0] - count + 1;
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<PatientId>().HaveConversion<PatientIdConverter>();
        configurationBuilder.Properties<StaffId>().HaveConversion<StaffIdConverter>();
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcTicksConverter>();
        configurationBuilder.Properties<Enum>().HaveConversion<int>();
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        foreach (var (set, table) in Tables())
        {
            var entity = modelBuilder.Entity(set);
            entity.ToTable(table);
            foreach (var property in set.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                if (property.PropertyType is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(Sealed<>))
                {
                    entity.Property(type, property.Name).HasConversion(
                        (ValueConverter)Activator.CreateInstance(typeof(EnvelopeConverter<>).MakeGenericType(type.GetGenericArguments()[0]))!);
                }
            }

            if (typeof(SealedRow).IsAssignableFrom(set))
            {
                entity.HasKey(nameof(SealedRow.Id));

                // Not the field behind it, which is empty before the id of a new row was asked for.
                entity.Property(nameof(SealedRow.Id)).ValueGeneratedNever().UsePropertyAccessMode(PropertyAccessMode.PreferFieldDuringConstruction);
                entity.Property(nameof(SealedRow.RowVersion)).IsConcurrencyToken();
            }
        }

        modelBuilder.Entity<Patient>(entity =>
        {
            entity.Ignore(row => row.Ref);
            entity.HasIndex(row => row.Mrn).IsUnique();

            // Equal to the key, but every list joins by it: without an index each of them reads the whole table.
            entity.HasIndex(row => row.PatientId).IsUnique();
        });
        modelBuilder.Entity<Visit>(entity =>
        {
            entity.Ignore(row => row.IsOpen);
            entity.Property(row => row.Status).IsConcurrencyToken();
            entity.HasIndex(row => row.PatientId);
            entity.HasIndex(row => new { row.Status, row.ArrivedAt });
        });
        modelBuilder.Entity<TriageAssessment>(entity =>
        {
            entity.HasIndex(row => row.PatientId);
            entity.HasIndex(row => row.VisitId);
        });
        modelBuilder.Entity<Observation>(entity =>
        {
            entity.HasIndex(row => new { row.PatientId, row.Kind });
            entity.HasIndex(row => row.OrderId);
        });
        modelBuilder.Entity<Allergy>().HasIndex(row => row.PatientId);
        modelBuilder.Entity<Problem>().HasIndex(row => row.PatientId);
        modelBuilder.Entity<Note>().HasIndex(row => row.PatientId);
        modelBuilder.Entity<Prescription>(entity =>
        {
            entity.Property(row => row.Status).IsConcurrencyToken();
            entity.HasIndex(row => row.PatientId);
            entity.HasIndex(row => new { row.Status, row.OrderedAt });
        });
        modelBuilder.Entity<Dispense>().HasIndex(row => row.PatientId);
        modelBuilder.Entity<LabOrder>(entity =>
        {
            entity.Ignore(row => row.IsOpen);
            entity.Property(row => row.Status).IsConcurrencyToken();
            entity.HasIndex(row => row.PatientId);
            entity.HasIndex(row => new { row.Status, row.OrderedAt });
            entity.HasIndex(row => row.SpecimenNumber);
            entity.HasIndex(row => row.VisitId);

            // Every page of a doctor counts the own results that nobody has signed.
            entity.HasIndex(row => new { row.By, row.AcknowledgedAt, row.Status });
        });
        modelBuilder.Entity<Procedure>().HasIndex(row => row.PatientId);
        modelBuilder.Entity<Immunization>().HasIndex(row => row.PatientId);
        modelBuilder.Entity<DiagnosticReport>().HasIndex(row => row.PatientId);
        modelBuilder.Entity<FhirRecord>(entity =>
        {
            entity.HasIndex(row => row.Source).IsUnique();
            entity.HasIndex(row => row.PatientId);
            entity.HasIndex(row => row.MappedRow);
        });
        modelBuilder.Entity<Charge>(entity =>
        {
            entity.HasIndex(row => row.VisitId);
            entity.HasIndex(row => row.SourceId).IsUnique();
        });
        modelBuilder.Entity<Invoice>(entity =>
        {
            entity.Property(row => row.Id).ValueGeneratedNever();
            entity.Property(row => row.Status).IsConcurrencyToken();
            entity.HasIndex(row => row.VisitId).IsUnique();
            entity.HasIndex(row => row.Number).IsUnique();
            entity.HasIndex(row => new { row.Status, row.OpenedAt });
        });
        modelBuilder.Entity<Payment>(entity =>
        {
            entity.HasIndex(row => row.InvoiceId);
            entity.HasIndex(row => row.ReceiptNumber).IsUnique();
        });
        modelBuilder.Entity<PriceItem>(entity =>
        {
            entity.HasKey(row => row.Code);
            entity.Property(row => row.Amount).HasConversion<string>();
        });
        modelBuilder.Entity<StockBatch>(entity =>
        {
            entity.Property(row => row.Id).ValueGeneratedNever();
            entity.Property(row => row.Version).IsConcurrencyToken();
            entity.Property(row => row.Quantity).HasConversion<string>();
            entity.HasIndex(row => new { row.MedicineCode, row.Expires });
        });
        modelBuilder.Entity<StockMove>(entity =>
        {
            entity.Property(row => row.Id).ValueGeneratedNever();
            entity.Property(row => row.Quantity).HasConversion<string>();
            entity.HasIndex(row => row.BatchId);
        });
        modelBuilder.Entity<Draft>(entity =>
        {
            // One draft a place and writer: of two first saves at once one is refused and goes on top of the other. Two
            // indexes, because the databases hold two missing visits for different ones.
            entity.HasIndex(row => new { row.PatientId, row.By, row.Kind, row.VisitId }).IsUnique();
            entity.HasIndex(row => new { row.PatientId, row.By, row.Kind }).IsUnique().HasFilter("visit_id IS NULL");
        });
        modelBuilder.Entity<Counter>().HasKey(row => row.Name);
        modelBuilder.Entity<LogAnchor>(entity =>
        {
            entity.HasKey(row => row.Size);
            entity.Property(row => row.Size).ValueGeneratedNever();
        });
        modelBuilder.Entity<ActMark>(entity =>
        {
            entity.HasKey(row => row.EntrySeq);
            entity.Property(row => row.EntrySeq).ValueGeneratedNever();
        });
        modelBuilder.Entity<ActSettlement>().Property(row => row.Id).ValueGeneratedNever();
        modelBuilder.Entity<Setting>().HasKey(row => row.Name);

        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            foreach (var property in entity.GetProperties())
            {
                property.SetColumnName(SnakeCase(property.Name));
            }
        }
    }

    private async Task<int> Commit(bool acceptAllChangesOnSuccess, CancellationToken cancel)
    {
        var head = log ?? throw new InvalidOperationException("A context that follows no log cannot commit. Take it from the hospital's factory.");
        if (head.ReadOnly)
        {
            throw new RefusedInput(CopyMark.Refusal);
        }

        if (head.Newest is not { } checkpoint)
        {
            return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancel);
        }

        if (Database.CurrentTransaction is not null)
        {
            return await Write(checkpoint, acceptAllChangesOnSuccess, cancel);
        }

        await using var transaction = await Database.BeginTransactionAsync(cancel);
        var written = await Write(checkpoint, acceptAllChangesOnSuccess, cancel);
        await transaction.CommitAsync(cancel);
        return written;
    }

    private async Task<int> Write(Checkpoint checkpoint, bool acceptAllChangesOnSuccess, CancellationToken cancel)
    {
        // A new row, or one that an act moved to its next version; a change of its state alone leaves the entry that it names.
        var acts = ChangeTracker.Entries<SealedRow>()
            .Where(entry => entry.State == EntityState.Added || (entry.State == EntityState.Modified && entry.Property(row => row.EntrySeq).IsModified))
            .Select(entry => entry.Entity.EntrySeq)
            .Where(static entry => entry > 0)
            .ToHashSet();
        var written = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancel);
        foreach (var act in acts)
        {
            await Mark(act, cancel);
        }

        await KeepAnchor(checkpoint, cancel);
        return written;
    }

    /// <summary>Takes the row as it is stored now for the one that was read, so that the next attempt removes that.</summary>
    private static async Task Refresh(EntityEntry draft, CancellationToken cancel)
    {
        if (await draft.GetDatabaseValuesAsync(cancel) is { } stored)
        {
            draft.OriginalValues.SetValues(stored);
        }
        else
        {
            draft.State = EntityState.Detached;
        }
    }

    private static IEnumerable<(Type Set, string Table)> Tables() =>
        from property in typeof(ClinicContext).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        where property.PropertyType.IsGenericType && property.PropertyType.GetGenericTypeDefinition() == typeof(DbSet<>)
        let set = property.PropertyType.GetGenericArguments()[0]
        select (set, set == typeof(TriageAssessment) ? "triage" : set == typeof(DiagnosticReport) ? "report" : set == typeof(PriceItem) ? "price" : SnakeCase(set.Name));

    private static string SnakeCase(string name) =>
        string.Concat(name.Select((letter, index) => index > 0 && char.IsUpper(letter) ? "_" + char.ToLower(letter, CultureInfo.InvariantCulture) : char.ToLower(letter, CultureInfo.InvariantCulture).ToString()));

    private sealed class PatientIdConverter() : ValueConverter<PatientId, Guid>(id => id.Value, value => new PatientId(value));

    private sealed class StaffIdConverter() : ValueConverter<StaffId, int>(id => id.Number, value => new StaffId(value));

    private sealed class UtcTicksConverter() : ValueConverter<DateTimeOffset, long>(time => time.UtcTicks, ticks => new DateTimeOffset(ticks, TimeSpan.Zero));

    /// <summary>Carries the envelope's bytes to the column and back; no bytes mean an absent field. It opens nothing.</summary>
    private sealed class EnvelopeConverter<T>() : ValueConverter<Sealed<T>, byte[]>(field => field.Envelope ?? Array.Empty<byte>(), bytes => new Sealed<T>(bytes));
}
