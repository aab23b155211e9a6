using System.Text.Json.Serialization;
using Mangrove.Kernel;
using Mangrove.Vault;

namespace Mangrove.Clinic.Records;

/// <summary>How sealed values become bytes. Names are part of the stored format: they may be added to, never renamed.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(PersonName))]
[JsonSerializable(typeof(BirthAndSex))]
[JsonSerializable(typeof(ContactDetails))]
[JsonSerializable(typeof(PayerDetails))]
[JsonSerializable(typeof(EncounterRecord))]
[JsonSerializable(typeof(TriageOutcome))]
[JsonSerializable(typeof(ObservedValue))]
[JsonSerializable(typeof(AllergyRecord))]
[JsonSerializable(typeof(ProblemRecord))]
[JsonSerializable(typeof(NoteText))]
[JsonSerializable(typeof(PrescriptionLine))]
[JsonSerializable(typeof(MedicineInUse))]
[JsonSerializable(typeof(DispensedLine))]
[JsonSerializable(typeof(LabOrderLine))]
[JsonSerializable(typeof(CodedEvent))]
[JsonSerializable(typeof(ReportRecord))]
[JsonSerializable(typeof(ChargeLine))]
[JsonSerializable(typeof(PaymentRecord))]
public sealed partial class ClinicJson : JsonSerializerContext;
