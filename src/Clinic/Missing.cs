using Mangrove.Kernel;

namespace Mangrove.Clinic;

/// <summary>
/// What is answered when a thing is not there. A thing that exists and may not be seen gets the same answer, so that
/// nobody learns by asking which patients this hospital has.
/// </summary>
public static class Missing
{
    public static Error Patient { get; } = new("not-found", "Not found, or not yours to open.");

    public static Error Visit { get; } = new("not-found", "Not found, or not yours to open.");
}
