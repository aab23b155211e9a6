using System.Text.Json;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Portability.Exchange;

namespace Mangrove.Tests.Portability.Exchange;

public sealed class LateEntryExportTests
{
    [Fact]
    public void A_late_entry_is_effective_when_it_happened_and_issued_when_it_was_written()
    {
        var happened = new DateTimeOffset(2026, 3, 2, 1, 15, 0, TimeSpan.Zero);
        var row = new Observation { PatientId = PatientId.New(), Kind = ObservationKind.Vital, TakenAt = happened };
        var composer = new ResourceComposer(Ids.New(), id => id.ToString("D"));
        var value = new ObservedValue { Code = "8867-4", System = "http://loinc.org", Display = "Heart rate", Number = 92, UnitCode = "/min" };

        var late = JsonDocument.Parse(composer.Observation(row, value with { Recorded = happened.AddHours(7) })).RootElement;
        Assert.Equal(happened, late.GetProperty("effectiveDateTime").GetDateTimeOffset());
        Assert.Equal(happened.AddHours(7), late.GetProperty("issued").GetDateTimeOffset());
        Assert.False(JsonDocument.Parse(composer.Observation(row, value)).RootElement.TryGetProperty("issued", out _));
    }
}
