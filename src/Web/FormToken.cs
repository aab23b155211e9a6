namespace Mangrove.Web;

/// <summary>Names under which the antiforgery token travels: in a form, and in the header that htmx and the modules send.</summary>
public static class FormToken
{
    public const string FieldName = "__RequestVerificationToken";

    public const string HeaderName = "RequestVerificationToken";
}
