using Mangrove.Cli.CommandLine;
using Mangrove.Clinic;
using Mangrove.Governance.Destruction;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Destruction;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Keys;

namespace Mangrove.Cli.Destruction;

/// <summary>
/// Carries out orders of destruction: the vault's steps, the clinic's rows and the bundles of backups, in their order. Each step is kept
/// when it is done, so that a machine that stops goes on where it was. No backup and no drill runs meanwhile.
/// </summary>
public sealed class DestructionWork : IDisposable
{
    private readonly Hospital hospital;
    private readonly PatientRows rows;
    private readonly SemaphoreSlim one = new(1);

    public DestructionWork(Hospital hospital)
    {
        this.hospital = hospital;
        rows = new PatientRows(hospital.Clinics);
    }

    /// <summary>Called between any two steps, with the step that was done. Tests stop the work there, as a power cut would.</summary>
    public Action<DestructionStep>? Between { get; init; }

    private DestructionDesk Desk => hospital.Vault.Destruction;

    /// <summary>Finds the patients of hospital numbers.</summary>
    /// <param name="numbers">As typed, separated by spaces, commas or lines.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The patients, or <c>patient.number</c>.</returns>
    public Task<Result<IReadOnlyList<PatientRef>>> Find(string? numbers, CancellationToken cancel) => rows.Find(numbers, cancel);

    /// <summary>Carries an order out while the caller waits.</summary>
    /// <param name="admin">An administrator.</param>
    /// <param name="order">An approved order, or one that is under way.</param>
    /// <param name="root">What opens the root key, which is then changed too; null leaves it.</param>
    /// <param name="say">Progress.</param>
    /// <param name="cancel">Gives up after a step; the order goes on at the next start.</param>
    /// <returns>The order, or a <c>destruction.</c> code or one of an objection.</returns>
    /// <exception cref="Refused">The actor is no administrator.</exception>
    public async Task<Result<DestructionOrder>> Run(Actor admin, Guid order, RootSecret? root, Action<string> say, CancellationToken cancel)
    {
        var begun = await Desk.Begin(admin, order, root is not null, cancel);
        return begun.Ok ? await Carry(order, root is null ? null : (admin, root), say, cancel) : begun;
    }

    /// <summary>Goes on with what a stop of the machine left, tries outstanding targets again, and lets old orders lapse.</summary>
    public async Task GoOn(CancellationToken cancel)
    {
        await Desk.Lapse(cancel);
        foreach (var order in await Desk.Unfinished(cancel))
        {
            if (order.State == DestructionState.Outstanding && !order.Facts.Outstanding.Any(Directory.Exists) && await StillWaited(order, cancel))
            {
                continue;
            }

            await Carry(order.Id, null, static _ => { }, cancel);
        }
    }

    public void Dispose() => one.Dispose();

    private async Task<bool> StillWaited(DestructionOrder order, CancellationToken cancel)
    {
        // A target that an administrator took off the list is waited for no more.
        var targets = (await hospital.Vault.Backups.Targets.All(cancel)).Select(target => target.Path).ToHashSet(StringComparer.Ordinal);
        return order.Facts.Outstanding.Any(targets.Contains);
    }

    private async Task<Result<DestructionOrder>> Carry(Guid id, (Actor Admin, RootSecret Secret)? root, Action<string> say, CancellationToken cancel)
    {
        await one.WaitAsync(cancel);
        try
        {
            using var alone = await hospital.Backups.Alone(cancel);
            var scratch = Backups.HospitalBackups.NewScratch(hospital.Storage.Folder);
            try
            {
                var carried = await Steps(id, root, scratch, say, cancel);
                if (carried.Error is { } error)
                {
                    await Desk.Hindered(id, error.Code, cancel);
                }

                return carried;
            }
            catch (Exception fault) when (fault is not OperationCanceledException && CommandShell.Explain(fault) is { } reason)
            {
                await Desk.Hindered(id, reason.Code, CancellationToken.None);
                throw;
            }
            finally
            {
                Directory.Delete(scratch, recursive: true);
            }
        }
        finally
        {
            one.Release();
        }
    }

    private async Task<Result<DestructionOrder>> Steps(Guid id, (Actor Admin, RootSecret Secret)? root, string scratch, Action<string> say, CancellationToken cancel)
    {
        say("destroying keys");
        var keys = await Desk.DestroyKeys(id, cancel);
        if (!keys.Ok)
        {
            return keys;
        }

        Between?.Invoke(DestructionStep.KeysGone);
        say("deleting rows");
        var erased = await Desk.EraseRows(id, rows.Erase, cancel);
        if (!erased.Ok)
        {
            return erased;
        }

        hospital.Events.Changed(Enum.GetValues<Station>());
        Between?.Invoke(DestructionStep.RowsGone);
        var order = await Desk.TryBundlesAgain(id, cancel);
        if (order.Step < DestructionStep.BundlesRewritten)
        {
            say("rewriting key bundles of backups");
            order = await Bundles(id, scratch, say, cancel);
        }

        Between?.Invoke(DestructionStep.BundlesRewritten);
        say("changing keys");
        var rotated = await Desk.RotateKeys(id, cancel);
        if (!rotated.Ok)
        {
            return rotated;
        }

        Between?.Invoke(DestructionStep.KeysRotated);
        order = rotated.Value;
        if (order.Step < DestructionStep.RootSettled)
        {
            order = await Desk.RootSettled(id, order.Facts.RootRotated || await Root(order, root, say, cancel), cancel);
        }

        Between?.Invoke(DestructionStep.RootSettled);
        say("clearing free pages");
        await Desk.Purge(id, cancel);
        Between?.Invoke(DestructionStep.Purged);
        say("looking for the patients everywhere");
        var verified = await Desk.Verify(id, rows.Count, [.. (await hospital.Backups.Places(cancel)).Where(place => place.Reached).SelectMany(place => place.Bundles)], scratch, cancel);
        if (!verified.Ok)
        {
            return verified;
        }

        Between?.Invoke(DestructionStep.Verified);
        say("certifying");
        return await Desk.Certify(id, cancel);
    }

    private async Task<DestructionOrder> Bundles(Guid id, string scratch, Action<string> say, CancellationToken cancel)
    {
        var places = await hospital.Backups.Places(cancel);
        var outstanding = new List<string>();
        foreach (var place in places)
        {
            if (place.Reached)
            {
                say($"rewriting {place.Bundles.Count} key bundles");
                try
                {
                    await Desk.RewriteBundles(id, place.Path, place.Bundles, scratch, cancel);
                    continue;
                }
                catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
                {
                    // The disk went away in between, or is read-only: waited for like one that is not there.
                }
            }

            if (place.IsTarget)
            {
                outstanding.Add(place.Path);
            }
        }

        return await Desk.FinishBundles(id, outstanding, [.. places.Where(place => !place.Reached && !place.IsTarget).Select(place => place.Path)], cancel);
    }

    private async Task<bool> Root(DestructionOrder order, (Actor Admin, RootSecret Secret)? root, Action<string> say, CancellationToken cancel)
    {
        if (!order.Facts.RootAsked || root is not { } with)
        {
            // After a stop nobody is there to open it; the certificate says that it was not changed.
            return false;
        }

        say("changing the root key");
        return (await hospital.Vault.Keys.RotateRoot(with.Admin, with.Secret, cancel)).Ok;
    }
}
