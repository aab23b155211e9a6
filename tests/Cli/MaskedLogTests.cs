using System.Collections.Concurrent;
using System.Text.Json;
using Mangrove.Cli;
using Mangrove.Cli.Serving;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Keys;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Mangrove.Tests.Cli;

/// <summary>
/// Whatever of a patient is handed to a log, by every route that code has, no value of theirs is in a line, and ids, codes
/// and counts are (threats P10). The same look at the lines finds a log that does not mask.
/// </summary>
public abstract partial class MaskedLogTests(SampleHospital sample)
{
    // Put together while the test runs, as a person's name is: the compiler makes one constant of a text around a constant.
    private static readonly string Canary = string.Join('-', "Kanaria", "Zuhura");

    private static readonly PersonName Name = new(Canary, [Canary], Canary);

    [Fact]
    public void A_value_of_a_patient_is_in_no_line_by_whatever_route_it_came()
    {
        var masked = new Lines(new LogLines(TimeProvider.System));
        Log(masked);
        Assert.Equal(Routes, masked.Written.Count);
        Assert.DoesNotContain(masked.Written, Leaks);
    }

    [Fact]
    public void A_log_without_the_mask_is_found_by_the_same_look()
    {
        var open = new Lines(new Unmasked());
        Log(open);
        Assert.Equal(Routes, open.Written.Count);

        // Types of the clinic say nothing of themselves either; all that is text leaks.
        Assert.True(open.Written.Count(Leaks) >= 6, string.Join('\n', open.Written));
    }

    [Fact]
    public void Ids_numbers_codes_and_times_stay()
    {
        var lines = new Lines(new LogLines(TimeProvider.System));
        var patient = PatientId.New();
        var id = Ids.New();
        var logger = lines.CreateLogger("Mangrove.Test");
        Numbers(logger, patient, new StaffId(42), Mrn.FromSequence(7), id, 17, Role.Nurse);
        Fault(logger, new InvalidOperationException(Canary, new RefusedInput("storage.unreachable", Canary)), typeof(Patient));
        Assert.Equal($"Numbers {patient} S-0042 {Mrn.FromSequence(7)} {id} 17 Nurse", Message(lines.Written[0]));
        Assert.Equal("A fault System.InvalidOperationException in RefusedInput (storage.unreachable) in Mangrove.Clinic.Records.Patient", Message(lines.Written[1]));
        Assert.DoesNotContain(lines.Written, Leaks);
    }

    [Fact]
    public void A_sealed_value_its_row_and_what_it_holds_are_written_as_the_category_that_seals_them()
    {
        var patient = Patient.New(PatientId.New(), Canary, DateTimeOffset.UnixEpoch);
        string Of(object value) => LogMask.Value("Mangrove.Test", "Value", value);
        Assert.Equal($"[{nameof(Category.Name)}]", Of(Name));
        Assert.Equal($"[{nameof(Category.Name)}]", Of(new Sealed<PersonName>([1])));
        Assert.Equal("[sealed]", Of(new Sealed<string>([1])));
        Assert.Equal($"[{nameof(Category.Payer)}]", Of(new PayerDetails(Canary, Canary, 1)));
        Assert.Equal($"[{nameof(Category.Contact)}]", Of(Patient.ContactField));
        Assert.Equal("[BirthAndSex, Contact, Name, Payer]", Of(patient));
        Assert.Equal("[text]", Of(Canary));
        Assert.Equal("[DateOnly]", Of(new DateOnly(1980, 2, 3)));
        Assert.Equal("[Decimal]", Of(36.9m));
        Assert.Equal("[List]", Of(new List<string> { Canary }));
        Assert.Equal("[AdministrativeSex]", Of(AdministrativeSex.Female));
        Assert.Equal("[Dictionary]", Of(new Dictionary<string, int>(StringComparer.Ordinal) { [Canary] = 1 }));
    }

    [Fact]
    public void Text_stands_only_under_a_parameter_of_the_list_and_only_in_its_form()
    {
        foreach (var (source, parameter) in LogMask.AllowedTexts)
        {
            Assert.Equal("[text]", LogMask.Value(source, parameter, $"{Canary} has a fever"));
            Assert.Equal("[text]", LogMask.Value(source, parameter, $"System.Exception\n   at Somewhere\n{Canary} has a fever"));
        }

        Assert.Equal("audit.chain", LogMask.Value("Mangrove.Web.Administration.LogCheck", "Code", "audit.chain"));
        Assert.Equal("[text]", LogMask.Value("Mangrove.Web.Administration.LogCheck", "Other", "audit.chain"));
        Assert.Equal("[text]", LogMask.Value("Mangrove.Elsewhere", "Code", "audit.chain"));
        var stack = Caught(() => throw new InvalidOperationException(Canary)).StackTrace!;
        var lines = $"System.InvalidOperationException{Environment.NewLine}{stack}{Environment.NewLine}Mangrove.Kernel.RefusedInput (record.changed)";
        Assert.Equal(lines, LogMask.Value("Mangrove.Web.AnswerInWords", "What", lines));
    }

    [Fact]
    public async Task What_the_databases_say_of_a_value_is_in_no_line()
    {
        await using var hospital = await Hospital.Open(sample.Storage, new RootSecret { KeyFile = Path.Combine(sample.Data, "demo.key") }, TimeProvider.System, default);
        await hospital.Indexing;
        var faults = new List<Exception>();
        await using (var connection = await hospital.Clinics.Connect(default))
        {
            // A value in the text of a statement: both engines quote it in their message.
            await using var command = connection.CreateCommand();
            command.CommandText = $"SELECT 1 AS one two \"{Canary}\" '{Canary}'";
            faults.Add(await Thrown(() => command.ExecuteScalarAsync()));
            command.CommandText = $"SELECT * FROM \"{Canary}\"";
            faults.Add(await Thrown(() => command.ExecuteScalarAsync()));
        }

        for (var twice = 0; twice < 2; twice++)
        {
            // The primary key of a setting is its name.
            await using var clinic = await hospital.Clinics.CreateDbContextAsync();
            clinic.Add(new Setting { Name = Canary, Value = Canary });
            if (twice == 1)
            {
                faults.Add(await Thrown(() => clinic.SaveChangesAsync()));
            }
            else
            {
                await clinic.SaveChangesAsync();
            }
        }

        // Without the precondition the test would say nothing: the driver does quote what it was given.
        Assert.Equal(3, faults.Count);
        Assert.Contains(faults, fault => fault.Message.Contains(Canary, StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault is DbUpdateException);
        var lines = new Lines(new LogLines(TimeProvider.System));
        var logger = lines.CreateLogger("Mangrove.Test");
        foreach (var fault in faults)
        {
            Broke(logger, fault);
            Fault(logger, fault, typeof(Setting));
        }

        Assert.DoesNotContain(lines.Written, Leaks);
        Assert.All(lines.Written, line => Assert.Contains(nameof(Exception), line, StringComparison.Ordinal));
    }

    [Fact]
    public void A_line_cannot_be_broken_into_two()
    {
        var lines = new Lines(new LogLines(TimeProvider.System));
        Odd(lines.CreateLogger("Mangrove.Test\n{\"level\":\"Critical\"}"), "a\r\nb\u2028\u001b[31m");
        var line = Assert.Single(lines.Written);
        Assert.Equal("[source]", JsonDocument.Parse(line).RootElement.GetProperty("from").GetString());
        Assert.DoesNotContain(line.TrimEnd(), character => char.IsControl(character));
    }

    private static int Routes => 12;

    private static bool Leaks(string line) => line.Contains("Kanaria", StringComparison.OrdinalIgnoreCase);

    private static string Message(string line) => JsonDocument.Parse(line).RootElement.GetProperty("message").GetString()!;

    /// <summary>Everything that code may do to a logger, with a patient in it.</summary>
    private static void Log(Lines lines)
    {
        var patient = Patient.New(PatientId.New(), Canary, DateTimeOffset.UnixEpoch);
        var logger = lines.CreateLogger("Mangrove.Test");
#pragma warning disable CA2254, CA2017, CA1848, CA1727 // The routes that an analyzer finds are among those that the mask must stand.
        logger.LogError("Registered {Name}", Canary);
        logger.LogError("Registered {@Name} of {Count,5:0}", Name, 3);
        logger.LogError($"Registered {Canary}");
        logger.LogError(Canary + " was registered");
        logger.LogError("{Patient} {Mrn}", patient, patient.Mrn);
        logger.LogError("{All}", new object[] { new[] { Canary } });
        logger.Log(LogLevel.Error, 1, string.Concat(Canary, "!"), null, (text, _) => text);
        logger.LogError(new InvalidOperationException($"No {Canary}", new FormatException(Canary)), "Failed");
        using (logger.BeginScope("for {Name}", Canary))
        {
            logger.LogError("In a scope");
        }

        lines.CreateLogger(Canary).LogError("From a logger of that name");
#pragma warning restore CA2254, CA2017, CA1848, CA1727
        Odd(logger, Canary);
        Broke(logger, new ArgumentException(Canary, Canary));
    }

    private static Exception Caught(Action act) => Assert.ThrowsAny<Exception>(act);

    private static async Task<Exception> Thrown(Func<Task> act) => await Assert.ThrowsAnyAsync<Exception>(act);

    [LoggerMessage(1, LogLevel.Error, "Numbers {Patient} {Staff} {Mrn} {Id} {Count} {Role}")]
    private static partial void Numbers(ILogger logger, PatientId patient, StaffId staff, Mrn mrn, Guid id, int count, Role role);

    [LoggerMessage(2, LogLevel.Error, "A fault {Fault} in {Type}")]
    private static partial void Fault(ILogger logger, object fault, Type type);

    [LoggerMessage(3, LogLevel.Error, "Odd {Text}")]
    private static partial void Odd(ILogger logger, string text);

    [LoggerMessage(4, LogLevel.Error, "Broken")]
    private static partial void Broke(ILogger logger, Exception fault);

    /// <summary>A log that writes each line by a formatter, as the console does.</summary>
    private sealed class Lines(ConsoleFormatter formatter) : ILoggerProvider
    {
        private readonly ConcurrentQueue<string> written = new();
        private readonly LoggerExternalScopeProvider scopes = new();

        public IReadOnlyList<string> Written => [.. written];

        public ILogger CreateLogger(string categoryName) => new Source(this, categoryName);

        public void Dispose() => written.Clear();

        private sealed class Source(Lines lines, string name) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => lines.scopes.Push(state);

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                using var writer = new StringWriter();
                lines.Write(new LogEntry<TState>(logLevel, name, eventId, state, exception, formatter), writer);
                lines.written.Enqueue(writer.ToString());
            }
        }

        private void Write<TState>(LogEntry<TState> entry, StringWriter writer) => formatter.Write(entry, scopes, writer);
    }

    /// <summary>What the framework writes by itself: the message as it was formatted, the scope and the exception's text.</summary>
    private sealed class Unmasked() : ConsoleFormatter("unmasked")
    {
        public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
        {
            textWriter.Write($"{logEntry.Category}: {logEntry.Formatter(logEntry.State, logEntry.Exception)} {logEntry.Exception}");
            scopeProvider?.ForEachScope(static (scope, writer) => writer.Write($" => {scope}"), textWriter);
        }
    }
}

public sealed class MaskedLogOnSqliteTests(SampleHospital sample) : MaskedLogTests(sample), IClassFixture<SampleHospital>;

public sealed class MaskedLogOnPostgresTests(SampleOnPostgres sample) : MaskedLogTests(sample), IClassFixture<SampleOnPostgres>;
