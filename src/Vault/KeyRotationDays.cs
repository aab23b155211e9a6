using System.Data.Common;
using System.Globalization;
using Mangrove.Kernel;
using Mangrove.Vault.Identity;

namespace Mangrove.Vault;

/// <summary>How long a version of a key is used until the schedule makes the next one. A hospital may make it shorter, never longer than this.</summary>
/// <param name="Usual">Days for data, audit, ring and pepper. 30 to 365.</param>
/// <param name="BackupAndSync">Days for backup and sync, whose ciphertexts leave the house. 30 to 182.</param>
public sealed record KeyRotationDays(int Usual, int BackupAndSync)
{
    public const int Least = 30;
    public const int MostUsual = 365;
    public const int MostBackupAndSync = 182;

    private const string UsualName = "KEY_ROTATION_DAYS";
    private const string BackupAndSyncName = "KEY_ROTATION_DAYS_BACKUP_SYNC";

    /// <summary>What a new hospital has: yearly, backup and sync half-yearly.</summary>
    public static KeyRotationDays Default { get; } = new(MostUsual, MostBackupAndSync);

    /// <summary>The days of one purpose, by its name.</summary>
    public int For(string purpose) => purpose is "backup" or "sync" ? BackupAndSync : Usual;

    internal bool LongerThan(KeyRotationDays before) => Usual > before.Usual || BackupAndSync > before.BackupAndSync;

    internal Error? Malformed() =>
        Usual is < Least or > MostUsual || BackupAndSync is < Least or > MostBackupAndSync
            ? new Error("keys.rotation-days", string.Create(CultureInfo.InvariantCulture, $"Keys are rotated every {Least} to {MostUsual} days, those of backup and sync every {Least} to {MostBackupAndSync}."))
            : null;

    internal string Words() => string.Create(CultureInfo.InvariantCulture, $"{Usual} days, backup and sync {BackupAndSync} days");

    internal static async Task<KeyRotationDays> Load(DbConnection connection, CancellationToken cancel)
    {
        var rows = await connection.Query("SELECT name, value FROM policy_setting", row => (Name: row.GetString(0), Value: row.GetInt64(1)), cancel);

        // A row out of its range was put there past this class: the nearest value that may stand.
        return new KeyRotationDays(Of(UsualName, MostUsual), Of(BackupAndSyncName, MostBackupAndSync));

        int Of(string name, int most) => rows.Where(row => row.Name == name).Select(row => (int)Math.Clamp(row.Value, Least, most)).DefaultIfEmpty(most).First();
    }

    internal async Task Keep(DbConnection connection, Actor by, long now, CancellationToken cancel)
    {
        await IdentityStore.PutSetting(connection, UsualName, Usual, by, now, cancel);
        await IdentityStore.PutSetting(connection, BackupAndSyncName, BackupAndSync, by, now, cancel);
    }
}
