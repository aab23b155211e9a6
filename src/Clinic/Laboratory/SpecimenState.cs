using Mangrove.Clinic.Records;

namespace Mangrove.Clinic.Laboratory;

/// <summary>How far a specimen has come; its tests are ordered, received, rejected and released under one number.</summary>
public enum SpecimenState
{
    /// <summary>Ordered, not at the bench yet.</summary>
    Awaited = 1,
    Received = 2,
    Rejected = 3,
    Released = 4,
    Cancelled = 5,
}

internal static class SpecimenStates
{
    /// <summary>The specimen is as far as its open tests; without any, it is what became of the last ones.</summary>
    public static SpecimenState Of(IReadOnlyCollection<LabOrderStatus> tests)
    {
        if (tests.Contains(LabOrderStatus.Received))
        {
            return SpecimenState.Received;
        }

        if (tests.Contains(LabOrderStatus.Ordered))
        {
            // A specimen with a released test has been at the bench.
            return tests.Contains(LabOrderStatus.Released) ? SpecimenState.Received : SpecimenState.Awaited;
        }

        return tests.Contains(LabOrderStatus.Released) ? SpecimenState.Released
            : tests.Contains(LabOrderStatus.Rejected) ? SpecimenState.Rejected
            : SpecimenState.Cancelled;
    }
}
