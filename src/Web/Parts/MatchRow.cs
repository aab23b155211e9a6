namespace Mangrove.Web.Parts;

/// <summary>How a typed value agrees with a registered one.</summary>
public enum Agreement
{
    Same,
    Near,
    Differs,
}

/// <summary>One line of the duplicate guard.</summary>
/// <param name="Field">Family name, Born, Phone.</param>
/// <param name="Typed">What was typed now.</param>
/// <param name="Registered">What stands in the register.</param>
/// <param name="Agreement">Decides sign and weight.</param>
/// <param name="Evidence">In words: <c>sounds the same</c>, <c>same, rare: +31</c>.</param>
public sealed record MatchRow(string Field, string Typed, string Registered, Agreement Agreement, string Evidence);
