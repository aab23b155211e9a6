using System.Security.Cryptography;
using Mangrove.Kernel;

namespace Mangrove.Vault;

/// <summary>How much room the volume of the data has left.</summary>
public enum SpaceLevel
{
    /// <summary>A fifth or more is free.</summary>
    Plenty = 1,

    /// <summary>Less than a fifth: administrators are told.</summary>
    Low = 2,

    /// <summary>Less than a tenth, and less than 20 GiB: what is not work on patients is refused.</summary>
    ClinicalOnly = 3,
}

/// <summary>
/// Watches the room on the volume of the data folder (threat A5). It keeps a file of ballast there, which is given up when
/// nearly nothing is left: the wards can then go on for as long as somebody needs to come and free some space, and the log
/// can take its last entries. When the log cannot be written after all, the door is shut, here as ever.
/// </summary>
public sealed class SpaceWatch
{
    /// <summary>The file of ballast in the data folder. Holds nothing.</summary>
    public const string BallastName = "ballast";

    /// <summary>Below this part of the volume administrators are told.</summary>
    public const double LowBelow = 0.20;

    /// <summary>Below this part only work on patients is stored.</summary>
    public const double ClinicalBelow = 0.10;

    private const long Mebibyte = 1024 * 1024;
    private const long MostScarce = 20 * 1024 * Mebibyte;

    // A thousandth of the volume, within these: the log of a day.
    private const long LeastBallast = 16 * Mebibyte;
    private const long MostBallast = 64 * Mebibyte;

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    private readonly string folder;
    private readonly TimeProvider clock;
    private readonly Func<(long Free, long Size)> measure;
    private readonly Lock gate = new();
    private (long Free, long Size) volume;
    private long measured;

    /// <param name="folder">The data folder.</param>
    /// <param name="clock">The time.</param>
    /// <param name="measure">What this account may still write on the volume, and its size, in bytes; the system's answer when left out.</param>
    public SpaceWatch(string folder, TimeProvider clock, Func<(long Free, long Size)>? measure = null)
    {
        this.folder = folder;
        this.clock = clock;
        this.measure = measure ?? (() =>
        {
            var drive = new DriveInfo(folder);
            return (drive.AvailableFreeSpace, drive.TotalSize);
        });
        (volume, measured) = (this.measure(), clock.GetTimestamp());
    }

    /// <summary>The refusal of what is not work on patients while there is little room.</summary>
    internal static Error ClinicalOnly { get; } = new(
        "space.clinical-only",
        "The disk is nearly full, so only work on patients is stored. Free some space on the volume of the data, then do this again; nothing was changed.");

    /// <summary>What this account may still write on the volume, and its size, in bytes; at most five seconds old.</summary>
    public (long Free, long Size) Volume
    {
        get
        {
            lock (gate)
            {
                if (clock.GetElapsedTime(measured) >= Fresh)
                {
                    (volume, measured) = (measure(), clock.GetTimestamp());
                }

                return volume;
            }
        }
    }

    public SpaceLevel Level => Volume switch
    {
        { Size: <= 0 } => SpaceLevel.Plenty,
        var (free, size) when IsScarce(free, size) => SpaceLevel.ClinicalOnly,
        var (free, size) when free < size * LowBelow => SpaceLevel.Low,
        _ => SpaceLevel.Plenty,
    };

    /// <summary>Whether so little is left that only work on patients is stored. A tenth of a very large volume is no little.</summary>
    public static bool IsScarce(long free, long size) => free < Math.Min(size * ClinicalBelow, MostScarce);

    /// <summary>Bytes of ballast that are there.</summary>
    public long Ballast => new FileInfo(BallastPath) is { Exists: true } file ? file.Length : 0;

    private string BallastPath => Path.Combine(folder, BallastName);

    /// <summary>
    /// Gives the ballast up when less than its own size is left, and lays it in again when there is plenty of room. Called every
    /// few seconds by one caller.
    /// </summary>
    /// <returns>True when the ballast was given up just now.</returns>
    /// <exception cref="IOException">The disk does not let the file go, or refuses it; asked again at the next look.</exception>
    public bool Look()
    {
        var (free, size) = Volume;
        var wanted = Math.Clamp(size / 1000, LeastBallast, MostBallast);
        var there = Ballast;
        if (there > 0 && free < there)
        {
            File.Delete(BallastPath);
            Forget();
            return true;
        }

        // Laid in with so much room left that it does not itself make the room scarce.
        if (there < wanted && free - (wanted - there) >= size * LowBelow)
        {
            Lay(wanted);
            Forget();
        }

        return false;
    }

    /// <summary>Random bytes, because a disk may store zeros without taking room for them. In a second file first: half a ballast is none.</summary>
    private void Lay(long length)
    {
        var part = BallastPath + ".part";
        using (var file = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None, 1))
        {
            var bytes = new byte[Mebibyte];
            RandomNumberGenerator.Fill(bytes);
            for (var left = length; left > 0; left -= bytes.Length)
            {
                // No two blocks alike, for disks that store equal ones once.
                BitConverter.TryWriteBytes(bytes, left);
                file.Write(bytes, 0, (int)Math.Min(left, bytes.Length));
            }

            file.Flush(flushToDisk: true);
        }

        File.Move(part, BallastPath, overwrite: true);
    }

    private void Forget()
    {
        lock (gate)
        {
            (volume, measured) = (measure(), clock.GetTimestamp());
        }
    }
}
