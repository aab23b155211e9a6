using System.Text.Json;
using Mangrove.Cli.Demo;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Sealing;

namespace Mangrove.Cli.Bench;

/// <summary>
/// What decryption alone costs, for references. Nobody outside the vault can name a hospital's keys, so the same values
/// are sealed anew here, with the same algorithm, padding and layout, under keys of the bench's own: one of each patient,
/// wrapped by one above them, as in the hospital.
/// </summary>
internal sealed class SealedCopies : IDisposable
{
    private readonly KeyMaterial wrapping = KeyMaterial.Generate();
    private readonly Guid facility = Ids.New();

    /// <summary>Seals values of one patient.</summary>
    public Copy Seal(Guid patient, IReadOnlyList<(string Table, string Column, byte[] Plain, Padding Padding)> values)
    {
        using var key = KeyMaterial.Generate();
        var keyId = Ids.New();
        var cells = new (CellAddress, byte[])[values.Count];
        for (var at = 0; at < cells.Length; at++)
        {
            var (table, column, plain, padding) = values[at];
            var address = new CellAddress(facility, table, column, patient, patient, 1);
            cells[at] = (address, Envelope.Seal(plain, key, keyId, 1, address, padding));
        }

        return new Copy(wrapping, KeyWrap.WrapBound(wrapping, key, Context(patient)), patient, cells);
    }

    /// <summary>The three fields from which the index is built.</summary>
    public Copy Seal(SamplePatient person) => Seal(person.Id.Value, Demographics(person.Name, JsonSerializer.SerializeToUtf8Bytes(person.Person, ClinicJson.Default.BirthAndSex), person.Contact));

    public static IReadOnlyList<(string Table, string Column, byte[] Plain, Padding Padding)> Demographics(PersonName name, byte[] person, ContactDetails? contact) =>
    [
        ("patient", "name", JsonSerializer.SerializeToUtf8Bytes(name, ClinicJson.Default.PersonName), Padding.Padme),
        ("patient", "person", person, Padding.To(128)),
        ("patient", "contact", JsonSerializer.SerializeToUtf8Bytes(contact ?? new ContactDetails(), ClinicJson.Default.ContactDetails), Padding.Padme),
    ];

    public void Dispose() => wrapping.Dispose();

    private static byte[] Context(Guid patient) => [.. "patient:"u8, .. patient.ToByteArray(bigEndian: true)];

    /// <summary>Some values of one patient.</summary>
    internal sealed class Copy(KeyMaterial wrapping, byte[] wrapped, Guid patient, (CellAddress Address, byte[] Envelope)[] cells)
    {
        public int Count => cells.Length;

        /// <summary>Unwraps the patient's key and opens every value.</summary>
        public void Open(Action<int, byte[]> each)
        {
            using var key = KeyWrap.UnwrapBound(wrapping, wrapped, Context(patient));
            for (var at = 0; at < cells.Length; at++)
            {
                each(at, Envelope.Open(cells[at].Envelope, key, cells[at].Address));
            }
        }
    }
}
