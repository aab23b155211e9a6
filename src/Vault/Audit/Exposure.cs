using System.Globalization;

namespace Mangrove.Vault.Audit;

/// <summary>What the log is asked about an incident. Every part that is set must hold; at least one of the four is.</summary>
public sealed record ExposureQuestion
{
    /// <summary>The most patients by whom and where of one answer: with more the time has to be narrowed.</summary>
    public const int MostRows = 1_000_000;

    /// <summary>User name of a member of staff, or <c>service:</c> and the client id of a program.</summary>
    public string? Actor { get; init; }

    /// <summary>Name of a device, or an address from which somebody came.</summary>
    public string? Device { get; init; }

    /// <summary>One patient.</summary>
    public Guid? Patient { get; init; }

    public required DateTimeOffset Since { get; init; }

    /// <summary>The first moment that does not count any more.</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>Whether it asks for anything in particular.</summary>
    public bool IsNarrow => Actor is not null || Device is not null || Patient is not null;

    /// <summary>The question in words. A patient is not named here.</summary>
    public string InWords => string.Create(
        CultureInfo.InvariantCulture,
        $"{(Actor is null ? "" : $"{Actor}, ")}{(Device is null ? "" : $"at {Device}, ")}{(Patient is null ? "" : "one patient, ")}{Since:yyyy-MM-dd HH:mm} to {Until:yyyy-MM-dd HH:mm} UTC");
}

/// <summary>What one actor at one place did with one patient's record within the time.</summary>
/// <param name="Patient">Whose.</param>
/// <param name="Actor">Who, as the log names them.</param>
/// <param name="Device">From where.</param>
/// <param name="Acts">How often.</param>
/// <param name="First">The first time.</param>
/// <param name="Last">The last time.</param>
/// <param name="Actions">What was done, in alphabetical order.</param>
/// <param name="Fields">Which fields, in alphabetical order.</param>
public sealed record ExposedPatient(Guid Patient, string Actor, string Device, int Acts, DateTimeOffset First, DateTimeOffset Last, IReadOnlyList<string> Actions, IReadOnlyList<string> Fields);

/// <summary>An act over every patient, which names none of them: an export, an import.</summary>
public sealed record ExposedEverybody(long Seq, DateTimeOffset At, string Actor, string Device, string Action, int Count);

/// <summary>The answer of the log.</summary>
/// <param name="Patients">Ordered by patient, actor and place.</param>
/// <param name="Everybody">Acts that touched every patient of the hospital.</param>
/// <param name="Acts">Entries that fit and touched a record.</param>
/// <param name="LogSize">Entries of the log when it was asked; what came after is not in the answer.</param>
public sealed record Exposure(IReadOnlyList<ExposedPatient> Patients, IReadOnlyList<ExposedEverybody> Everybody, long Acts, long LogSize)
{
    /// <summary>How many patients.</summary>
    public int Count => Patients.Select(one => one.Patient).Distinct().Count();
}
