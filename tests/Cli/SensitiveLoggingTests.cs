using System.Net;
using System.Text.Json;
using Mangrove.Cli.Serving;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Mangrove.Tests.Cli;

/// <summary>With a switch on that makes a framework or a driver write values, the server does not start (threats P10).</summary>
public sealed class SensitiveLoggingTests(SampleHospital hospital) : IClassFixture<SampleHospital>
{
    [Theory]
    [InlineData("clinic", "Include Error Detail=true")]
    [InlineData("vault", "IncludeErrorDetail=True")]
    [InlineData("keys", "Log Parameters=true")]
    [InlineData("audit", "LogParameters=true")]
    [InlineData("owner", "Include Failed Batched Command=true")]
    public void A_connection_that_shows_values_is_refused_by_name(string store, string setting)
    {
        var lines = new[] { "clinic", "vault", "keys", "audit", "owner" }.ToDictionary(name => name, name => $"Host=localhost;Username={name}", StringComparer.Ordinal);
        var storage = new StorageOptions { Kind = StorageKind.Postgres, Folder = hospital.Data, Connections = lines };
        SensitiveLogging.Refuse(storage);
        lines[store] += ";" + setting;
        var refused = Refused(() => SensitiveLogging.Refuse(storage));
        Assert.Contains($"'{store}'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_the_connection_file_says_the_stores_are_opened_quietly()
    {
        var storage = new StorageOptions
        {
            Kind = StorageKind.Postgres,
            Folder = hospital.Data,
            Connections = new Dictionary<string, string>(StringComparer.Ordinal) { ["clinic"] = "Host=localhost;Include Error Detail=true;Log Parameters=true;Persist Security Info=true" },
        };
        var opened = new Npgsql.NpgsqlConnectionStringBuilder(storage.ConnectionString("clinic"));
        Assert.Equal((false, false, false), (opened.IncludeErrorDetail, opened.LogParameters, opened.PersistSecurityInfo));
    }

    [Fact]
    public void A_mapper_that_shows_values_is_refused()
    {
        SensitiveLogging.Refuse(new DbContextOptionsBuilder().Options);
        SensitiveLogging.Refuse(new DbContextOptionsBuilder().EnableSensitiveDataLogging(false).EnableDetailedErrors(false).Options);
        using var factory = new LoggerFactory();
        Assert.All<DbContextOptionsBuilder>(
            [
                new DbContextOptionsBuilder().EnableSensitiveDataLogging(),
                new DbContextOptionsBuilder().EnableDetailedErrors(),
                new DbContextOptionsBuilder().LogTo(_ => { }),
                new DbContextOptionsBuilder().UseLoggerFactory(factory),
            ],
            mapper => Refused(() => SensitiveLogging.Refuse(mapper.Options)));
    }

    [Fact]
    public void A_log_of_requests_and_a_log_besides_the_masked_one_are_refused()
    {
        static ServiceCollection Services(Action<IServiceCollection> more)
        {
            var services = new ServiceCollection();
            services.AddLogging(logging => logging.AddConsole());
            more(services);
            return services;
        }

        SensitiveLogging.Refuse(Services(_ => { }));
        Refused(() => SensitiveLogging.Refuse(Services(services => services.AddHttpLogging(_ => { }))));
        Refused(() => SensitiveLogging.Refuse(Services(services => services.AddHttpLogging())));
        Refused(() => SensitiveLogging.Refuse(Services(services => services.AddW3CLogging(_ => { }))));
        Refused(() => SensitiveLogging.Refuse(Services(services => services.AddLogging(logging => logging.AddDebug()))));
        Refused(() => SensitiveLogging.Refuse(Services(services => services.AddLogging(logging => logging.AddEventSourceLogger()))));
        Refused(() => SensitiveLogging.Refuse(Services(services => services.AddSingleton<ILoggerProvider>(_ => throw new InvalidOperationException()))));
    }

    [Theory]
    [InlineData(null, LogLevel.Information)]
    [InlineData("Microsoft", LogLevel.Information)]
    [InlineData("Microsoft.EntityFrameworkCore.Database.Command", LogLevel.Debug)]
    [InlineData("Microsoft.AspNetCore.HttpLogging", LogLevel.Trace)]
    [InlineData("Npgsql", LogLevel.Information)]
    [InlineData("Mangroves", LogLevel.Information)]
    public void A_level_below_warning_is_refused_but_for_our_own_lines(string? source, LogLevel level)
    {
        var console = new ConsoleLoggerOptions { FormatterName = LogLines.FormatterName };
        var filter = new LoggerFilterOptions { MinLevel = LogLevel.Warning };
        filter.Rules.Add(new LoggerFilterRule(null, "Mangrove", LogLevel.Information, null));
        SensitiveLogging.Refuse(filter, console);
        filter.Rules.Add(new LoggerFilterRule(null, source, level, null));
        Refused(() => SensitiveLogging.Refuse(filter, console));
        Refused(() => SensitiveLogging.Refuse(new LoggerFilterOptions { MinLevel = LogLevel.Information }, console));
        Refused(() => SensitiveLogging.Refuse(new LoggerFilterOptions { MinLevel = LogLevel.Warning }, new ConsoleLoggerOptions { FormatterName = ConsoleFormatterNames.Json }));
    }

    [Fact]
    public async Task No_variable_of_the_environment_and_no_settings_file_lowers_a_level_or_adds_a_log()
    {
        const string Settings = """{"Logging":{"LogLevel":{"Default":"Trace","Microsoft":"Trace","Microsoft.EntityFrameworkCore":"Trace"},"Console":{"FormatterName":"json","LogLevel":{"Default":"Trace"}}},"DetailedErrors":true}""";
        using var folder = new Folder();
        var start = Executable.With("serve", "--data", hospital.Data, "--urls", "https://localhost:0");
        start.WorkingDirectory = folder.Path;
        foreach (var name in (string[])["appsettings.json", "appsettings.Production.json", "appsettings.Development.json"])
        {
            await File.WriteAllTextAsync(folder[name], Settings);
        }

        foreach (var prefix in (string[])["", "DOTNET_", "ASPNETCORE_"])
        {
            foreach (var part in (string[])["Default", "Microsoft", "Microsoft.EntityFrameworkCore", "Microsoft.AspNetCore", "Npgsql", "System"])
            {
                start.Environment[$"{prefix}Logging__LogLevel__{part}"] = "Trace";
                start.Environment[$"{prefix}Logging__Console__LogLevel__{part}"] = "Trace";
            }

            start.Environment[$"{prefix}ENVIRONMENT"] = "Development";
            start.Environment[$"{prefix}DETAILEDERRORS"] = "true";
            start.Environment[$"{prefix}Logging__Console__FormatterName"] = "simple";
        }

        await using var server = await Served.Start(start);
        var (user, password) = hospital.Login(Role.FrontDesk);
        using (var desk = await Browser.SignIn(server.Address, user, password))
        {
            Assert.Equal(HttpStatusCode.OK, (await desk.Send("POST", "/find", new Dictionary<string, string>(StringComparer.Ordinal) { ["q"] = "Kanaria" })).Status);
            Assert.Equal(HttpStatusCode.NotFound, (await desk.Send("GET", "/patients/Kanaria", [])).Status);
        }

        await server.Stop();

        // At Trace the framework writes several lines for each of these requests, with the address and the statements. A
        // warning, such as of a slow machine, is no harm.
        foreach (var line in server.Said.Split('\n'))
        {
            Assert.True(
                !line.Contains("Microsoft.", StringComparison.Ordinal)
                || (line.StartsWith('{') && JsonDocument.Parse(line).RootElement.GetProperty("level").GetString() is "Warning" or "Error"),
                line);
        }

        Assert.DoesNotContain("Kanaria", server.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("SELECT", server.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_fails_by_a_fault_names_its_kind_and_not_its_text()
    {
        using var folder = new Folder();
        var copy = folder["copy"];
        await hospital.CopyTo(copy);
        await using (var clinic = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(copy, "clinic.db")};Pooling=False"))
        {
            await clinic.OpenAsync(TestContext.Current.CancellationToken);
            await using var drop = new Microsoft.Data.Sqlite.SqliteCommand("DROP TABLE log_anchor", clinic);
            await drop.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var failed = await Executable.Run("audit", "verify", "--data", copy, "--json");
        Assert.Equal((3, "mangrove.broken"), (failed.Exit, failed.Code));
        Assert.Contains("SqliteException", failed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("no such table", failed.Error, StringComparison.Ordinal);

        // What a person can put right is said instead.
        await File.WriteAllTextAsync(Path.Combine(copy, "clinic.db"), new string('x', 8192), TestContext.Current.CancellationToken);
        var damaged = await Executable.Run("audit", "verify", "--data", copy, "--json");
        Assert.Equal((2, "data.damaged"), (damaged.Exit, damaged.Code));
    }

    private static RefusedInput Refused(Action act)
    {
        var refused = Assert.Throws<RefusedInput>(act);
        Assert.Equal(SensitiveLogging.RefusalCode, refused.Code);
        return refused;
    }
}

/// <summary>The same switch through the executable, where there is a connection file.</summary>
public sealed class SensitiveLoggingOnPostgresTests(SampleOnPostgres hospital) : IClassFixture<SampleOnPostgres>
{
    [Theory]
    [InlineData("Include Error Detail=true")]
    [InlineData("Log Parameters=true")]
    public async Task A_server_whose_connections_show_values_does_not_start(string setting)
    {
        var file = hospital.Secret("loud", string.Join('\n', hospital.Storage.Connections.Select(one => one.Key == "clinic" ? $"{one.Key}={one.Value};{setting}" : $"{one.Key}={one.Value}")));
        var refused = await Executable.Run("serve", "--data", hospital.Data, "--urls", "https://localhost:0", "--storage", "postgres", "--connection", file, "--json");
        Assert.Equal((2, SensitiveLogging.RefusalCode), (refused.Exit, refused.Code));
        Assert.DoesNotContain("ready ", refused.Error, StringComparison.Ordinal);
    }
}
