using Mangrove.Kernel;
using Mangrove.Portability.Exchange;
using Mangrove.Tests.Clinic;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Portability.Exchange;

/// <summary>The index key is rotated, and what was imported before is known again: while it is being moved and after the old key has gone.</summary>
public sealed class RotatedMarksTests
{
    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task What_was_imported_is_known_again_under_every_index_key_and_the_old_one_goes(StorageKind kind)
    {
        using var scratch = new Scratch();
        await using var hospital = await TestHospital.New(kind);
        var keys = hospital.Vault.Keys;
        keys.Serve(new ImportedRecords(hospital.Clinics, hospital.Door, hospital.Vault.Fingerprints));
        scratch.Write("first.json", First);
        var first = await Import(hospital, scratch, "first.json");
        Assert.Empty(first.Rejected);
        Assert.Equal(7, first.Resources.Values.Sum());
        var marks = await Marks(hospital);

        // The new key is in use and nothing has moved yet: what comes again is known by its old mark, what is new gets a new one.
        Assert.Equal(2, (await keys.Rotate(await hospital.As(Role.Admin), "index", default)).Value);
        await AllKnown(hospital, scratch, "first.json", first);
        Assert.Equal(marks, await Marks(hospital));
        scratch.Write("second.json", Second);
        var second = await Import(hospital, scratch, "second.json");
        Assert.Empty(second.Rejected);
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 2], (await Marks(hospital)).Select(mark => mark.Version).Order());
        Assert.Equal(8, (await Index(hospital)).Ciphertexts);
        Assert.Equal(7, (await Index(hospital)).UnderOlder);

        // Moved: the old version is gone, and no mark is what it was.
        Assert.True(await keys.Advance(default));
        var state = await Index(hospital);
        Assert.Equal((2, 8L), (Assert.Single(state.Versions).Version, state.Ciphertexts));
        Assert.All(await Marks(hospital), mark => Assert.Equal(2, mark.Version));
        Assert.Empty((await Marks(hospital)).Select(mark => mark.Source).Intersect(marks.Select(mark => mark.Source), StringComparer.Ordinal));
        await AllKnown(hospital, scratch, "first.json", first);
        await AllKnown(hospital, scratch, "second.json", second);
        scratch.Write("changed.json", First.Replace("Odhiambo", "Otieno", StringComparison.Ordinal));
        Assert.Equal("import.changed", Assert.Single((await Import(hospital, scratch, "changed.json")).Rejected).Code);

        // And once more, so that marks that a rotation made are moved as well.
        Assert.Equal(3, (await keys.Rotate(await hospital.As(Role.Admin), "index", default)).Value);
        Assert.True(await keys.Advance(default));
        Assert.Equal(3, Assert.Single((await Index(hospital)).Versions).Version);
        await AllKnown(hospital, scratch, "first.json", first);
        await AllKnown(hospital, scratch, "second.json", second);
    }

    private static async Task AllKnown(TestHospital hospital, Scratch scratch, string file, ImportReport before)
    {
        var marks = await Marks(hospital);
        var again = await Import(hospital, scratch, file);
        Assert.Empty(again.Rejected);
        Assert.Equal(before.Resources, again.Unchanged);
        Assert.Equal(marks, await Marks(hospital));
    }

    private static async Task<ImportReport> Import(TestHospital hospital, Scratch scratch, string file) =>
        await new FhirImport(hospital.Clinics, hospital.Door, hospital.Vault.Fingerprints, hospital.Events, hospital.Clock)
            .Run([scratch.File(file)], dryRun: false, await hospital.As(Role.Admin), null, TestContext.Current.CancellationToken);

    private static async Task<KeyPurposeStatus> Index(TestHospital hospital) =>
        (await hospital.Vault.Keys.Status(default)).Single(one => one.Purpose == "index");

    private static async Task<IReadOnlyList<(string Source, int Version)>> Marks(TestHospital hospital)
    {
        await using var clinic = hospital.Clinic();
        return [.. (await clinic.FhirRecords.AsNoTracking().OrderBy(row => row.Order).ToListAsync()).Select(row => (Convert.ToHexString(row.Source), row.IndexVersion))];
    }

    // One of everything that has a mark of its own kind: with an id; twice the same id with two contents; without an id at
    // an address, two of which say the same; without an id and an address.
    private const string First = """
        {"resourceType":"Bundle","type":"collection","entry":[
        {"fullUrl":"urn:uuid:0d1e7a52-7b0c-4a5f-9a43-4f6c1d2e3f40","resource":{"resourceType":"Patient","id":"0d1e7a52-7b0c-4a5f-9a43-4f6c1d2e3f40","name":[{"family":"Odhiambo","given":["Akinyi"]}],"gender":"female","birthDate":"1988-05-02"}},
        {"fullUrl":"http://one.example/Practitioner/7","resource":{"resourceType":"Practitioner","id":"7","name":[{"family":"Mwangi"}]}},
        {"fullUrl":"http://two.example/Practitioner/7","resource":{"resourceType":"Practitioner","id":"7","name":[{"family":"Mwangi","given":["J."]}]}},
        {"fullUrl":"http://one.example/Location/a","resource":{"resourceType":"Location","name":"Ward 3"}},
        {"fullUrl":"http://one.example/Location/b","resource":{"resourceType":"Location","name":"Ward 3"}},
        {"fullUrl":"urn:uuid:5b8f0e0e-1c1d-4a0c-8a57-0c9d8e7f6a51","resource":{"resourceType":"Condition","subject":{"reference":"urn:uuid:0d1e7a52-7b0c-4a5f-9a43-4f6c1d2e3f40"},"code":{"text":"Asthma"}}},
        {"resource":{"resourceType":"Organization","name":"Kivuko Hospital"}}]}
        """;

    // Of a patient who came with the other file.
    private const string Second = """
        {"resourceType":"Bundle","type":"collection","entry":[
        {"fullUrl":"urn:uuid:91c2f6ae-3a8b-4f51-bb0e-6f0d3c2b1a90","resource":{"resourceType":"Condition","id":"91c2f6ae-3a8b-4f51-bb0e-6f0d3c2b1a90","subject":{"reference":"Patient/0d1e7a52-7b0c-4a5f-9a43-4f6c1d2e3f40"},"code":{"text":"Hay fever"}}}]}
        """;
}
