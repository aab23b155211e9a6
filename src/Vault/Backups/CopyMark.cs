using Mangrove.Kernel;

namespace Mangrove.Vault.Backups;

/// <summary>
/// Says that what lies in a folder is a read-only copy of a hospital, made of one of its backups for the time when the hospital
/// itself cannot be reached. Nothing is written into a copy but its own log and who is signed in there.
/// </summary>
/// <param name="Number">Of the backup in its target.</param>
/// <param name="AsOf">When that backup was made: what came later is not in the copy.</param>
/// <param name="AnyDevice">
/// Whether people sign in from devices that cannot show that they are registered, although the hospital's rule asks for it: a browser
/// keeps its key for the hospital's own name, and shows it under no other.
/// </param>
public sealed record CopyMark(long Number, DateTimeOffset AsOf, bool AnyDevice)
{
    /// <summary>The stable code of what a copy refuses.</summary>
    public const string RefusalCode = "downtime.read-only";

    /// <summary>The refusal of every act that would change something.</summary>
    public static Error Refusal { get; } = new(
        RefusalCode,
        "This is a read-only copy for the time of the downtime: nothing is stored here. Write it on the paper form with the time, and enter it when the hospital's own server is back.");
}
