using Microsoft.Extensions.Primitives;

namespace Mangrove.Api.Fhir;

/// <summary>
/// One value of a token search (https://hl7.org/fhir/R4/search.html#token): <c>code</c> in any system, <c>system|code</c>,
/// <c>|code</c> for a code without a system.
/// </summary>
/// <param name="System">The system; empty for none, null for any.</param>
/// <param name="Code">The code.</param>
internal readonly record struct Token(string? System, string Code)
{
    /// <summary>The values of one parameter, any of which may fit; null when the parameter is not a token list or is given twice.</summary>
    public static IReadOnlyList<Token>? Read(StringValues given)
    {
        if (given.Count != 1 || string.IsNullOrWhiteSpace(given[0]))
        {
            return null;
        }

        var tokens = new List<Token>();
        foreach (var part in given[0]!.Split(','))
        {
            var bar = part.LastIndexOf('|');
            var token = bar < 0 ? new Token(null, part) : new Token(part[..bar], part[(bar + 1)..]);
            if (token.Code.Length == 0)
            {
                return null;
            }

            tokens.Add(token);
        }

        return tokens;
    }

    public bool Fits(string? system, string? code) => Code == code && (System is null || System == (system ?? string.Empty));
}
