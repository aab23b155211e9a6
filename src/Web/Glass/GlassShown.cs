using Mangrove.Vault.Glass;

namespace Mangrove.Web.Glass;

/// <summary>The strip under the banner, on every page of a record that is open by emergency access.</summary>
/// <param name="Record">Address of the record: <c>/patients/…</c>.</param>
/// <param name="Live">The access.</param>
/// <param name="Closes">When it ends by itself, in the hospital's time.</param>
public sealed record GlassShown(string Record, GlassLive Live, DateTimeOffset Closes);
