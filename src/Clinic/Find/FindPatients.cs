using System.Text;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Access;
using Mangrove.Vault.Identity;
using Mangrove.Vault.Index;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Clinic.Find;

/// <summary>Finds registered patients by name, hospital number or telephone, and says which of them the searcher may open.</summary>
public sealed class FindPatients(ClinicContext clinic, Door door)
{
    /// <param name="Hit">What the role may see of the patient.</param>
    /// <param name="Closed">Whether the record is closed to the searcher, because the patient is not in care here.</param>
    /// <param name="Invoice">For roles that take payments: the newest open invoice, else the newest; null when there is none.</param>
    public sealed record Found(PatientHit Hit, bool Closed, Guid? Invoice)
    {
        /// <summary>Nothing: PHI never reaches a log by accident.</summary>
        public override string ToString() => nameof(Found);
    }

    /// <summary>
    /// Whether the text is enough to search for. One Latin letter or digit fits half the hospital and would fill the log
    /// with people whom nobody looked for; one sign of a script without letters is a name.
    /// </summary>
    public static bool IsEnough(string? text)
    {
        var signs = (text ?? string.Empty).Normalize(NormalizationForm.FormC).EnumerateRunes().Where(Rune.IsLetterOrDigit).Take(2).ToArray();
        return signs.Length == 2 || signs is [{ Value: >= 0x2E80 }];
    }

    /// <param name="text">What was typed; nothing is searched while <see cref="IsEnough"/> says no.</param>
    /// <param name="most">At most this many, best first.</param>
    /// <param name="actor">Who searches.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="Refused">The role may not search patients.</exception>
    public async Task<IReadOnlyList<Found>> Run(string text, int most, Actor actor, CancellationToken cancel)
    {
        if (!IsEnough(text))
        {
            return [];
        }

        var hits = await door.Find(actor, new PatientQuery(text.Trim(), most), cancel);
        PatientId[] ids = [.. hits.Select(hit => hit.Id)];
        var open = await door.OpenTo(actor, ids, cancel);
        var invoices = actor.May(Rights.Billing) ? await Invoices(ids, cancel) : [];
        return [.. hits.Select(hit => new Found(hit, !open.Contains(hit.Id), invoices.TryGetValue(hit.Id, out var invoice) ? invoice : null))];
    }

    private async Task<Dictionary<PatientId, Guid>> Invoices(PatientId[] patients, CancellationToken cancel)
    {
        var rows = await clinic.Invoices.AsNoTracking()
            .Where(invoice => patients.Contains(invoice.PatientId))
            .Select(invoice => new { invoice.PatientId, invoice.Id, invoice.Status, invoice.OpenedAt })
            .ToListAsync(cancel);
        return rows.GroupBy(row => row.PatientId).ToDictionary(
            patient => patient.Key,
            patient => patient.OrderByDescending(row => row.Status == InvoiceStatus.Open).ThenByDescending(row => row.OpenedAt).First().Id);
    }
}
