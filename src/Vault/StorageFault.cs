using Mangrove.Kernel;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Mangrove.Vault;

/// <summary>What a failure of the databases or their disk means to the person in front of it. Texts of the databases are never passed on: they may quote a row.</summary>
public static class StorageFault
{
    // https://www.sqlite.org/rescode.html
    private const int SqliteReadOnly = 8;
    private const int SqliteInputOutput = 10;
    private const int SqliteCorrupt = 11;
    private const int SqliteFull = 13;
    private const int SqliteCannotOpen = 14;
    private const int SqliteNotADatabase = 26;

    // ENOSPC of Linux and ERROR_DISK_FULL of Windows.
    private const int NoSpaceOnLinux = 28;
    private const int NoSpaceOnWindows = unchecked((int)0x80070070);

    // EIO of Linux; ERROR_CRC and ERROR_IO_DEVICE of Windows.
    private const int InputOutputOnLinux = 5;
    private const int BadSectorOnWindows = unchecked((int)0x80070017);
    private const int InputOutputOnWindows = unchecked((int)0x8007045D);

    private static readonly Error Full = new("data.full", "The disk is full. Free some space; nothing was half-written.");
    private static readonly Error Disk = new("data.disk", "The disk of the databases, or of the folder written into, reports an error. Check the disk; nothing was half-written.");
    private static readonly Error Unwritable = new("data.unwritable", "The databases cannot be written by this account. Give the service account the right to write the data folder.");
    internal static readonly Error Damaged = new("data.damaged", "A database file is damaged. Stop the server and leave the folder as it is: run 'mangrove doctor', then restore the newest backup into an empty folder (mangrove backup restore).");
    private static readonly Error Unreachable = new("storage.unreachable", "PostgreSQL refused or did not answer. Check that it runs and that the connection file is right.");

    /// <summary>The reason, also when it lies inside another exception; null when the failure is not one of storage.</summary>
    public static Error? Of(Exception error) => error switch
    {
        SqliteException refused when OfCode(refused.SqliteErrorCode) is { } reason => reason,
        PostgresException refused => OfState(refused.SqlState),
        NpgsqlException => Unreachable,

        // A connection that broke inside a transaction answers the next statement by "the transaction has completed", not by the break.
        InvalidOperationException { InnerException: null, Source: "Npgsql" } => Unreachable,

        // Npgsql 10.0: a reader whose connection broke while it was read.
        NullReferenceException { Source: "Npgsql" } => Unreachable,
        IOException { HResult: NoSpaceOnLinux or NoSpaceOnWindows } => Full,
        IOException { HResult: InputOutputOnLinux or BadSectorOnWindows or InputOutputOnWindows } => Disk,
        { InnerException: { } inner } => Of(inner),
        _ => null,
    };

    // Copying a database gives the extended code where other calls give the primary one, which is its low eight bits.
    private static Error? OfCode(int code) => (code & 0xff) switch
    {
        SqliteFull => Full,
        SqliteInputOutput => Disk,
        SqliteReadOnly or SqliteCannotOpen => Unwritable,
        SqliteCorrupt or SqliteNotADatabase => Damaged,
        _ => null,
    };

    // https://www.postgresql.org/docs/current/errcodes-appendix.html; other states are faults of a statement, not of storage.
    private static Error? OfState(string state) => state switch
    {
        "53100" => Full,
        "58030" => Disk,
        "XX001" or "XX002" => Damaged,
        "42501" => Unreachable,
        _ => state[..2] is "08" or "28" or "3D" or "53" or "57" or "58" ? Unreachable : null,
    };
}
