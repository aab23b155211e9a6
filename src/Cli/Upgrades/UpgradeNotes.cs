using System.Globalization;
using System.Text.Json;
using Mangrove.Vault;

namespace Mangrove.Cli.Upgrades;

/// <summary>
/// What is not in the log yet: upgrades that were undone, because the log of a hospital that stays as it was is not touched by
/// the version that failed on it; and on PostgreSQL one that is just being made to hold. Whoever opens the hospital next
/// writes it down.
/// </summary>
internal static class UpgradeNotes
{
    private const string Name = "upgrade-notes.json";
    private const int Most = 50;

    /// <param name="At">When.</param>
    /// <param name="Code">Why it was undone; null for one that holds.</param>
    /// <param name="From">The schema of before.</param>
    /// <param name="To">The schema that it has, or was to have.</param>
    /// <param name="WayBack">On PostgreSQL the backup that was made before, or that there is another; else null.</param>
    private sealed record Note(DateTimeOffset At, string? Code, int From, int To, string? WayBack = null);

    /// <summary>Remembers that an upgrade was undone.</summary>
    public static void Undone(string folder, string code, int from, int to, string? wayBack, TimeProvider clock) =>
        Keep(folder, [.. Read(folder).Where(note => note.Code is not null), new Note(clock.GetUtcNow(), code, from, to, wayBack)]);

    /// <summary>Remembers that an upgrade is about to hold. Only an upgraded hospital is opened, so it is read only if it did.</summary>
    public static void Done(string folder, int from, int to, string? wayBack, TimeProvider clock) =>
        Keep(folder, [.. Read(folder).Where(note => note.Code is not null), new Note(clock.GetUtcNow(), null, from, to, wayBack)]);

    /// <summary>The way back of an upgrade that was being made to hold and was cut off; null where none was.</summary>
    public static string? WayBackOfCutOff(string folder) => Read(folder).LastOrDefault(note => note.Code is null)?.WayBack;

    /// <summary>Writes what is remembered into the log of the hospital, and forgets it.</summary>
    /// <param name="folder">Where it is remembered.</param>
    /// <param name="vault">Whose log.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task WriteDown(string folder, VaultRoom vault, CancellationToken cancel)
    {
        var notes = Read(folder);
        if (notes.Length == 0)
        {
            return;
        }

        foreach (var (at, code, from, to, wayBack) in notes)
        {
            await vault.NoteUpgrade(code is null, string.Create(CultureInfo.InvariantCulture, $"schema {from} -> {to}, {(code is null ? "done" : code + ", undone")} at {at.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC{(wayBack is null ? "" : "; " + wayBack)}"), cancel);
        }

        File.Delete(Path.Combine(folder, Name));
    }

    private static void Keep(string folder, Note[] notes) => UpgradeSwap.Put(Path.Combine(folder, Name), JsonSerializer.SerializeToUtf8Bytes(notes.TakeLast(Most)));

    private static Note[] Read(string folder)
    {
        var path = Path.Combine(folder, Name);
        return File.Exists(path) ? JsonSerializer.Deserialize<Note[]>(File.ReadAllBytes(path)) ?? [] : [];
    }
}
