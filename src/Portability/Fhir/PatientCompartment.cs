using System.Collections.Frozen;

namespace Mangrove.Portability.Fhir;

/// <summary>
/// Which elements say whose record a resource belongs to. The types and elements are those of R4's patient compartment
/// (https://hl7.org/fhir/R4/compartmentdefinition-patient.html), in groups by how surely they name the owner: the first
/// group that leads to a patient decides, so that a mother who reports her child's symptoms does not become their owner.
/// </summary>
internal static class PatientCompartment
{
    private static readonly FrozenDictionary<string, string[][]> Owners = new Dictionary<string, string[][]>(StringComparer.Ordinal)
    {
        ["Account"] = Of("subject"),
        ["AdverseEvent"] = Of("subject"),
        ["AllergyIntolerance"] = Of("patient", "recorder,asserter"),
        ["Appointment"] = Of("participant.actor"),
        ["AppointmentResponse"] = Of("actor", "appointment"),
        ["AuditEvent"] = Of("entity.what", "agent.who"),
        ["Basic"] = Of("subject", "author"),
        ["BodyStructure"] = Of("patient"),
        ["CarePlan"] = Of("subject", "encounter", "activity.detail.performer"),
        ["CareTeam"] = Of("subject", "encounter", "participant.member"),
        ["ChargeItem"] = Of("subject", "context"),
        ["Claim"] = Of("patient", "payee.party"),
        ["ClaimResponse"] = Of("patient", "request"),
        ["ClinicalImpression"] = Of("subject", "encounter"),
        ["Communication"] = Of("subject", "encounter", "sender,recipient"),
        ["CommunicationRequest"] = Of("subject", "encounter", "sender,recipient,requester"),
        ["Composition"] = Of("subject", "encounter", "author,attester.party"),
        ["Condition"] = Of("subject", "encounter", "asserter"),
        ["Consent"] = Of("patient"),
        ["Coverage"] = Of("beneficiary", "subscriber", "policyHolder,payor"),
        ["CoverageEligibilityRequest"] = Of("patient"),
        ["CoverageEligibilityResponse"] = Of("patient", "request"),
        ["DetectedIssue"] = Of("patient"),
        ["Device"] = Of("patient"),
        ["DeviceRequest"] = Of("subject", "encounter", "performer"),
        ["DeviceUseStatement"] = Of("subject"),
        ["DiagnosticReport"] = Of("subject", "encounter"),
        ["DocumentManifest"] = Of("subject", "author,recipient"),
        ["DocumentReference"] = Of("subject", "context.encounter", "author"),
        ["Encounter"] = Of("subject"),
        ["EnrollmentRequest"] = Of("candidate"),
        ["EpisodeOfCare"] = Of("patient"),
        ["ExplanationOfBenefit"] = Of("patient", "claim", "payee.party"),
        ["FamilyMemberHistory"] = Of("patient"),
        ["Flag"] = Of("subject", "encounter"),
        ["Goal"] = Of("subject"),
        ["Group"] = Of("member.entity"),
        ["GuidanceResponse"] = Of("subject", "encounter"),
        ["ImagingStudy"] = Of("subject", "encounter"),
        ["Immunization"] = Of("patient", "encounter"),
        ["ImmunizationEvaluation"] = Of("patient", "immunizationEvent"),
        ["ImmunizationRecommendation"] = Of("patient"),
        ["Invoice"] = Of("subject", "recipient"),
        ["List"] = Of("subject", "encounter", "source"),
        ["MeasureReport"] = Of("subject"),
        ["Media"] = Of("subject", "encounter"),
        ["MedicationAdministration"] = Of("subject", "context", "performer.actor"),
        ["MedicationDispense"] = Of("subject", "context", "authorizingPrescription", "receiver"),
        ["MedicationRequest"] = Of("subject", "encounter"),
        ["MedicationStatement"] = Of("subject", "context"),
        ["MolecularSequence"] = Of("patient", "specimen"),
        ["NutritionOrder"] = Of("patient", "encounter"),
        ["Observation"] = Of("subject", "encounter", "specimen", "performer"),
        ["Patient"] = [],
        ["Person"] = Of("link.target"),
        ["Procedure"] = Of("subject", "encounter", "performer.actor"),
        ["Provenance"] = Of("target"),
        ["QuestionnaireResponse"] = Of("subject", "encounter", "author"),
        ["RelatedPerson"] = Of("patient"),
        ["RequestGroup"] = Of("subject", "encounter", "action.participant"),
        ["ResearchSubject"] = Of("individual"),
        ["RiskAssessment"] = Of("subject", "encounter"),
        ["Schedule"] = Of("actor"),
        ["ServiceRequest"] = Of("subject", "encounter", "performer"),
        ["Specimen"] = Of("subject", "request"),
        ["SupplyDelivery"] = Of("patient", "basedOn"),
        ["SupplyRequest"] = Of("deliverTo"),
        ["Task"] = Of("for", "encounter", "focus"),
        ["VisionPrescription"] = Of("patient", "encounter"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static IReadOnlyDictionary<string, string[][]> Table => Owners;

    /// <summary>Groups of element paths, surest first; null for a type that never belongs to a patient.</summary>
    public static IReadOnlyList<IReadOnlyList<string>>? Groups(string type) => Owners.TryGetValue(type, out var groups) ? groups : null;

    private static string[][] Of(params ReadOnlySpan<string> groups)
    {
        var split = new string[groups.Length][];
        for (var i = 0; i < groups.Length; i++)
        {
            split[i] = groups[i].Split(',');
        }

        return split;
    }
}
