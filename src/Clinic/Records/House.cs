using Mangrove.Kernel;

namespace Mangrove.Clinic.Records;

/// <summary>A running number: hospital numbers, tokens, specimens, invoices, receipts.</summary>
public sealed class Counter
{
    [Public("name of the count")]
    public string Name { get; init; } = string.Empty;

    public long Value { get; set; }
}

/// <summary>A signed checkpoint of the audit log, kept with the records so that a shortened log is noticed.</summary>
public sealed class LogAnchor
{
    /// <summary>Size of the log at the checkpoint.</summary>
    public long Size { get; init; }

    [Public("signed checkpoint of the audit log")]
    public byte[] Checkpoint { get; init; } = [];

    public DateTimeOffset At { get; init; }
}

/// <summary>A setting of the hospital, such as its name or currency.</summary>
public sealed class Setting
{
    [Public("name of the setting")]
    public string Name { get; init; } = string.Empty;

    [Public("setting of the house, not about a patient")]
    public string Value { get; set; } = string.Empty;
}
