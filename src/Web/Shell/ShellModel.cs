using Mangrove.Kernel;
using Mangrove.Vault.Identity;
using Mangrove.Web.Glass;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Web.Shell;

/// <summary>What the frame around a page shows: who is signed in, where, and the stations of the role.</summary>
/// <param name="Person">The signed-in person's name, as staff know it: <c>Dr Yusuf Ahmed</c>.</param>
/// <param name="Staff">Staff number.</param>
/// <param name="Role">Decides the stations.</param>
/// <param name="Device">Registered name of the device, or null before one is registered.</param>
/// <param name="Hospital">Name of the facility.</param>
/// <param name="Now">The hospital's local time, written into the station bar.</param>
/// <param name="Stations">In the order of the rail; the position is the Alt+digit.</param>
/// <param name="IdleSeconds">After so many seconds without a key or pointer the page locks itself.</param>
/// <param name="Trace">On the first page after a sign-in: the one before, and wrong tries since.</param>
/// <param name="Glass">The emergency access by which the record of this page is open; null where none is.</param>
/// <param name="Unseen">For those who are told of emergency accesses: how many notices they have not seen. Null for everybody else.</param>
/// <param name="Owes">When the first justification that this person owes is due; null where none is owed.</param>
public sealed record ShellModel(
    string Person,
    StaffId Staff,
    Role Role,
    string? Device,
    string Hospital,
    DateTime Now,
    IReadOnlyList<Station> Stations,
    int IdleSeconds = 300,
    SignInTrace? Trace = null,
    GlassShown? Glass = null,
    int? Unseen = null,
    DateTimeOffset? Owes = null)
{
    /// <summary>First letters of the last two words: <c>Dr Yusuf Ahmed</c> is YA.</summary>
    public string Initials => InitialsOf(Person);

    /// <inheritdoc cref="Initials"/>
    public static string InitialsOf(string person) => string.Concat(person.Split(' ', StringSplitOptions.RemoveEmptyEntries).TakeLast(2)
        .Select(word => System.Globalization.StringInfo.GetNextTextElement(word))).ToUpperInvariant();
}

/// <summary>A place on the rail.</summary>
/// <param name="Icon">Name of a Tabler outline icon, as a plain string so that the sprite contains it.</param>
/// <param name="Label">One short word.</param>
/// <param name="Address">Where it leads; the page is "here" when its own address begins with it.</param>
/// <param name="Count">What waits there; 0 shows nothing.</param>
/// <param name="Urgent">The count means danger, such as unacknowledged critical results.</param>
public sealed record Station(string Icon, string Label, string Address, int Count = 0, bool Urgent = false);

/// <summary>Tells the frame who is signed in. The host registers one; tests register their own.</summary>
public interface IShellSource
{
    /// <summary>Called once a page, for signed-in requests only.</summary>
    ValueTask<ShellModel> Read(HttpContext http, CancellationToken cancel);
}
