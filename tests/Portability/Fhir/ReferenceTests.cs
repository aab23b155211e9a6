using Mangrove.Portability.Fhir;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Portability.Fhir;

public sealed class ReferenceTests
{
    [Theory]
    [InlineData("Patient/1", ReferenceKind.Relative, "Patient", "1")]
    [InlineData("Patient/1/_history/3", ReferenceKind.Relative, "Patient", "1")]
    [InlineData("https://x.example/fhir/Patient/1", ReferenceKind.Absolute, "Patient", "1")]
    [InlineData("https://x.example/other", ReferenceKind.Absolute, null, null)]
    [InlineData("urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427", ReferenceKind.Urn, null, null)]
    [InlineData("#p1", ReferenceKind.Contained, null, "p1")]
    [InlineData("Patient?identifier=a|b", ReferenceKind.Conditional, "Patient", null)]
    [InlineData("Patient", ReferenceKind.Invalid, null, null)]
    [InlineData("../Patient/1", ReferenceKind.Invalid, null, null)]
    [InlineData("Nonsense/1", ReferenceKind.Invalid, null, null)]
    [InlineData("", ReferenceKind.Invalid, null, null)]
    public void A_reference_is_taken_apart(string text, ReferenceKind kind, string? type, string? id)
    {
        var reference = FhirReference.Parse(text);
        Assert.Equal((kind, type, id), (reference.Kind, reference.Type, reference.Id));
    }

    [Theory]
    [InlineData("{\"reference\":\"Patient/a\"}")]
    [InlineData("{\"reference\":\"Patient/a/_history/2\"}")]
    [InlineData("{\"reference\":\"https://one.example/fhir/Patient/a\"}")]
    [InlineData("{\"reference\":\"Patient?identifier=urn:mrn|77\"}")]
    [InlineData("{\"reference\":\"Patient?identifier=urn%3Amrn%7C77\"}")]
    [InlineData("{\"type\":\"Patient\",\"identifier\":{\"system\":\"urn:mrn\",\"value\":\"77\"}}")]
    [InlineData("{\"reference\":\"#p\"}")]
    public void Every_form_of_reference_finds_the_patient_in_another_file(string subject)
    {
        using var scratch = new Scratch();
        var contained = subject.Contains('#', StringComparison.Ordinal)
            ? "\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\",\"identifier\":[{\"system\":\"urn:mrn\",\"value\":\"77\"}]}],"
            : string.Empty;
        using var read = new Reading(
            scratch.Write("1.json", $$"""{"resourceType":"Observation",{{contained}}"status":"final","code":{"text":"x"},"subject":{{subject}}}"""),
            scratch.Write("2.json", """
                {"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"https://one.example/fhir/Patient/a",
                "resource":{"resourceType":"Patient","id":"a","identifier":[{"system":"urn:mrn","value":"77"}]}}]}
                """));
        Assert.Empty(read.Rejections);
        var owner = read.Index.OwnerOf(0);
        Assert.Equal(OwnerKind.Patient, owner.Kind);
        Assert.Equal("a", owner.Patients[0].Id);
    }

    [Fact]
    public void A_relative_reference_means_the_server_of_its_own_entry()
    {
        using var read = Reading.Of("""
            {"resourceType":"Bundle","type":"collection","entry":[
            {"fullUrl":"https://one.example/Patient/a","resource":{"resourceType":"Patient","id":"a"}},
            {"fullUrl":"https://two.example/Patient/a","resource":{"resourceType":"Patient","id":"a"}},
            {"fullUrl":"https://two.example/Flag/f","resource":{"resourceType":"Flag","id":"f","status":"active","code":{"text":"x"},"subject":{"reference":"Patient/a"}}},
            {"fullUrl":"urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427","resource":{"resourceType":"Flag","status":"active","code":{"text":"x"},"subject":{"reference":"Patient/a"}}}]}
            """);
        Assert.Equal(1, Assert.Single(read.Index.OwnerOf(2).Patients).Number);

        // From nowhere in particular it could mean either, so it means neither.
        Assert.Equal(OwnerKind.OutsidePatient, read.Index.OwnerOf(3).Kind);
    }

    [Fact]
    public void The_patient_is_found_through_the_encounter_and_the_subject_wins_over_the_performer()
    {
        using var read = Reading.Of("""
            {"resourceType":"Bundle","type":"collection","entry":[
            {"resource":{"resourceType":"Patient","id":"child"}},
            {"resource":{"resourceType":"Patient","id":"mother"}},
            {"resource":{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/child"}}},
            {"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"encounter":{"reference":"Encounter/e"},"performer":[{"reference":"Patient/mother"}]}},
            {"resource":{"resourceType":"Provenance","recorded":"2020-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}],"target":[{"reference":"Encounter/e"}]}},
            {"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Location/l"}}},
            {"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"}}},
            {"resource":{"resourceType":"Appointment","status":"booked","participant":[{"status":"accepted","actor":{"reference":"Patient/child"}},{"status":"accepted","actor":{"reference":"Patient/mother"}}]}},
            {"resource":{"resourceType":"Practitioner","id":"x"}}]}
            """);
        Assert.Empty(read.Rejections);
        Assert.Equal("child", read.Index.OwnerOf(3).Patients[0].Id);
        Assert.Equal("child", read.Index.OwnerOf(4).Patients[0].Id);
        Assert.Equal(OwnerKind.Facility, read.Index.OwnerOf(5).Kind);
        Assert.Equal(OwnerKind.Nobody, read.Index.OwnerOf(6).Kind);
        Assert.Equal(OwnerKind.SeveralPatients, read.Index.OwnerOf(7).Kind);
        Assert.Equal(OwnerKind.Facility, read.Index.OwnerOf(8).Kind);
    }

    [Fact]
    public void A_circle_of_references_ends()
    {
        using var read = Reading.Of("""
            {"resourceType":"Bundle","type":"collection","entry":[
            {"resource":{"resourceType":"Provenance","id":"a","recorded":"2020-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}],"target":[{"reference":"Provenance/b"}]}},
            {"resource":{"resourceType":"Provenance","id":"b","recorded":"2020-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}],"target":[{"reference":"Provenance/a"},{"reference":"Provenance/b"}]}},
            {"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"#a"},
              "contained":[{"resourceType":"RelatedPerson","id":"a","patient":{"reference":"#b"}},{"resourceType":"RelatedPerson","id":"b","patient":{"reference":"#a"}}]}}]}
            """);
        Assert.Empty(read.Rejections);
        Assert.All([0, 1, 2], number => Assert.Equal(OwnerKind.Nobody, read.Index.OwnerOf(number).Kind));
    }

    [Fact]
    public void The_table_of_owners_covers_the_official_patient_compartment()
    {
        var official = R4DefinitionText.PatientCompartment(SharedData.Require("data/fhir-definitions/hl7.fhir.core-4.0.1.tar.gz"));
        Assert.True(official.Count > 60);
        Assert.Empty(official.Except(PatientCompartment.Table.Keys, StringComparer.Ordinal));
        Assert.All(PatientCompartment.Table, static row => Assert.All(row.Value.SelectMany(static g => g), path =>
            Assert.Contains(Definitions(row.Key), name => name == path.Split('.')[0])));

        static IEnumerable<string> Definitions(string type) => Mangrove.Portability.Fhir.Definitions.R4.Type(type).Elements.Select(static e => e.Name);
    }
}
