using System.Globalization;
using Mangrove.Clinic;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Holds;
using Mangrove.Vault.Identity;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Governance.Retention;

/// <summary>Places a legal hold from what somebody typed: a hospital number, or days of the log.</summary>
public sealed class PlaceHold(IDbContextFactory<ClinicContext> clinics, HoldDesk holds)
{
    /// <param name="Scope"><c>patient</c>, <c>hospital</c> or <c>log</c>.</param>
    /// <param name="Number">Hospital number, for a patient.</param>
    /// <param name="First">ISO 8601 day, for the log.</param>
    /// <param name="Last">Likewise.</param>
    /// <param name="Reference">Number of the case.</param>
    /// <param name="Reason">Why.</param>
    public sealed record Form(string? Scope, string? Number, string? First, string? Last, string? Reference, string? Reason)
    {
        /// <summary>Nothing: the words are protected.</summary>
        public override string ToString() => nameof(Form);
    }

    /// <inheritdoc cref="HoldDesk.Place"/>
    public async Task<Result<LegalHold>> Run(Form form, Actor actor, FactorProof proof, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(form);
        var scope = form.Scope switch { "patient" => HoldScope.Patient, "hospital" => HoldScope.Hospital, "log" => HoldScope.Log, _ => HoldScope.Unchosen };
        PatientRef? patient = null;

        // Whether a number is somebody's is told to those alone who may place holds; the others are refused by the desk.
        if (scope == HoldScope.Patient && holds.MayHold(actor) && Mrn.TryParse(form.Number?.Trim(), out var mrn))
        {
            var number = mrn.ToString();
            await using var clinic = await clinics.CreateDbContextAsync(cancel);
            patient = await clinic.Patients.AsNoTracking().Where(row => row.Mrn == number).Select(row => (PatientRef?)new PatientRef(row.PatientId, row.Mrn)).FirstOrDefaultAsync(cancel);
        }

        return await holds.Place(actor, new HoldWanted(scope, patient, Day(form.First), Day(form.Last)), form.Reference, form.Reason, proof, cancel);
    }

    private static DateOnly? Day(string? text) => DateOnly.TryParseExact(text?.Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
}
