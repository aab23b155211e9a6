using Mangrove.Kernel;

namespace Mangrove.Vault;

/// <summary>FHIR administrative gender.</summary>
public enum AdministrativeSex
{
    Unknown = 0,
    Female = 1,
    Male = 2,
    Other = 3,
}

/// <summary>What ranges, doses and the banner need to know of a person.</summary>
/// <param name="Born">ISO 8601 date as known, with a leading <c>~</c> when estimated; null when not known.</param>
/// <param name="Sex">Administrative sex.</param>
/// <param name="Dead">Whether the person has died.</param>
/// <param name="Died">When, as FHIR wrote it (date or time), if known.</param>
public sealed record BirthAndSex(string? Born, AdministrativeSex Sex, bool Dead = false, string? Died = null)
{
    public PartialDate? BornOn() => PartialDate.TryParse(Born, out var date) ? date : null;

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(BirthAndSex);
}
