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

/// <summary>An entry of the audit log whose records were committed, until that is settled (threat A6).</summary>
public sealed class ActMark
{
    /// <summary>Number of the entry.</summary>
    public long EntrySeq { get; init; }
}

/// <summary>How far the acts of the log were compared with the records. There is one row.</summary>
public sealed class ActSettlement
{
    public int Id { get; init; }

    /// <summary>Number of the last entry for which it is decided.</summary>
    public long UpTo { get; set; }
}

/// <summary>A setting of the hospital, such as its name or currency.</summary>
public sealed class Setting
{
    [Public("name of the setting")]
    public string Name { get; init; } = string.Empty;

    [Public("setting of the house, not about a patient")]
    public string Value { get; set; } = string.Empty;
}
