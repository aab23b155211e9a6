using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic;

/// <summary>The clinic's database: contexts of the object mapper, and connections without it.</summary>
public interface IClinicDatabase : IDbContextFactory<ClinicContext>
{
    /// <summary>
    /// An open connection, the caller's to dispose, for the few statements of a start and of the log's anchors: the
    /// mapper's first use takes longer than everything else that a start does.
    /// </summary>
    Task<DbConnection> Connect(CancellationToken cancel);

    /// <summary>The column along which a whole table is read quickest: as it lies on the disk, where the database tells.</summary>
    string RowOrder { get; }

    /// <summary>How its contexts are set up, for the check of a start (<see cref="QuietMapper"/>). Building them builds no model.</summary>
    DbContextOptions Options { get; }
}
