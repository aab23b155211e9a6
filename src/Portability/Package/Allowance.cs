using Mangrove.Kernel;

namespace Mangrove.Portability.Package;

/// <summary>What is left of the limits of one import. Passing one throws <see cref="RefusedInput"/> and stays passed.</summary>
internal sealed class Allowance(InputLimits limits)
{
    private long bytes;
    private int files;

    public InputLimits Limits { get; } = limits;

    /// <summary>The whole import must stop: what follows cannot be within the limits any more.</summary>
    public bool Exhausted => bytes > Limits.TotalBytes || files > Limits.Files;

    public Error? CountFile() => ++files > Limits.Files ? InputErrors.TooMany : null;

    public void CountBytes(int count)
    {
        bytes += count;
        if (bytes > Limits.TotalBytes)
        {
            throw new RefusedInput(InputErrors.TooMuch);
        }
    }
}

/// <summary>
/// The ratio of one archive. <see cref="Packed"/> counts what was read from the file, <see cref="Produced"/> what came out of
/// it over all entries, so neither a long run of zeros nor entries that share the same packed bytes get through.
/// </summary>
internal sealed class ArchiveRatio(InputLimits limits)
{
    public long Packed { get; set; }

    public long Produced { get; private set; }

    public bool Passed { get; private set; }

    public void Produce(int count)
    {
        Produced += count;
        if (Produced > limits.RatioFloor && Produced / limits.Ratio > Packed)
        {
            Passed = true;
            throw new RefusedInput(InputErrors.Bomb);
        }
    }
}
