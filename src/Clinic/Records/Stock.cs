using Mangrove.Kernel;

namespace Mangrove.Clinic.Records;

/// <summary>Units of one medicine and strength, of one batch, on the shelf. Not about a patient.</summary>
public sealed class StockBatch
{
    public Guid Id { get; init; } = Ids.New();

    [Public("code of the medicine list, not about a patient")]
    public string MedicineCode { get; init; } = string.Empty;

    [Public("strength and form, not about a patient")]
    public string Product { get; init; } = string.Empty;

    [Public("manufacturer's batch number, not about a patient")]
    public string Batch { get; init; } = string.Empty;

    public DateOnly Expires { get; init; }

    public decimal Quantity { get; private set; }

    /// <summary>Counts changes; two takers of the last unit cannot both succeed.</summary>
    public int Version { get; private set; }

    public Result<StockBatch> Add(decimal units)
    {
        if (units <= 0)
        {
            return new Error("stock.quantity", "Enter a quantity above zero.");
        }

        Quantity += units;
        Version++;
        return this;
    }

    public Result<StockBatch> Take(decimal units)
    {
        if (units <= 0)
        {
            return new Error("stock.quantity", "Enter a quantity above zero.");
        }

        if (units > Quantity)
        {
            return new Error("stock.short", "The batch does not hold that many. Refresh and choose again.");
        }

        Quantity -= units;
        Version++;
        return this;
    }
}

public enum StockMoveKind
{
    Received = 1,
    Dispensed = 2,
    Corrected = 3,
}

/// <summary>Why the quantity of a batch changed.</summary>
public sealed class StockMove
{
    public Guid Id { get; init; } = Ids.New();

    public Guid BatchId { get; init; }

    public StockMoveKind Kind { get; init; }

    public decimal Quantity { get; init; }

    public DateTimeOffset At { get; init; }

    public StaffId By { get; init; }
}
