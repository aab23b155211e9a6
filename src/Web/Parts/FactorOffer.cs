namespace Mangrove.Web.Parts;

/// <summary>By what the signed-in person can show a second factor once more, on the page that asks.</summary>
/// <param name="Phone">A phone shows codes.</param>
/// <param name="Passkey">There is a passkey for the name under which the page is open.</param>
public sealed record FactorOffer(bool Phone, bool Passkey);
