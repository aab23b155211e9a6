using System.CommandLine;
using System.Globalization;
using System.Text;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;
using Mangrove.Vault.Access;

namespace Mangrove.Cli.Verbs;

/// <summary>Writes docs/access.md from the policy itself, so that the page cannot say anything else.</summary>
internal sealed class AccessPageVerb : OwnVerb
{
    public AccessPageVerb()
        : base("access-page", "Write the table of who may read and write what, as it stands in docs/access.md.") =>
        Command.Hidden = true;

    public override Task<Answer> Run(ParseResult arguments, Call call, TimeProvider clock, CancellationToken cancel)
    {
        var page = Page();
        return Task.FromResult(Answer.Of(new { page }, page.TrimEnd('\n')));
    }

    internal static string Page()
    {
        var roles = Enum.GetValues<Role>();
        var text = new StringBuilder(
            """
            # Who may read and write what

            The whole policy by role, as src/Vault/Access/RoleMatrix.cs has it: **R** reads, **W** writes, nothing is nothing.
            What stands in no cell is denied. A role that needs a care relationship opens a chart only while the patient has an
            open visit, order or admission here, or had one within the window (30 days unless the hospital sets another).
            Every act is an entry in the log before anything is read, and so is every refusal.

            Before this table, each act of a member of staff is asked three things: the session is open and not locked
            (`access.session`), the device is registered where the hospital demands it (`access.device`), and the role works in
            the department where the device stands (`access.department`; a department without a rule is for all, administrators
            are let in everywhere). After it, clinicians are asked for the care relationship (`access.not-in-care`). Programs are
            asked for agreement, two approvals, state and scopes instead. In an emergency a role with the right to break the glass
            opens one closed record for sixty minutes, reads there what a doctor reads and writes what it always writes
            (operations/break-glass.md). An administrator can ask why somebody may read
            something under People, Who may read what, and why; `mangrove policy explain` answers people about themselves.

            """.ReplaceLineEndings("\n"));
        text.Append(CultureInfo.InvariantCulture, $"\n| category | {string.Join(" | ", roles.Select(role => role.Title()))} |\n|---|{string.Concat(roles.Select(_ => "---|"))}\n");
        foreach (var category in Enum.GetValues<Category>())
        {
            text.Append(CultureInfo.InvariantCulture, $"| {Words(category.ToString())} | {string.Join(" | ", roles.Select(role => Cell(RoleMatrix.Of(role), category)))} |\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"\n| | {string.Join(" | ", roles.Select(role => role.Title()))} |\n|---|{string.Concat(roles.Select(_ => "---|"))}\n");
        text.Append(CultureInfo.InvariantCulture, $"| care relationship | {string.Join(" | ", roles.Select(role => RoleMatrix.Of(role).NeedsCareRelationship ? "needed" : ""))} |\n");
        text.Append(CultureInfo.InvariantCulture, $"| purposes | {string.Join(" | ", roles.Select(role => string.Join(", ", RoleMatrix.Of(role).Purposes.Select(purpose => Words(purpose.ToString())))))} |\n");
        text.Append(CultureInfo.InvariantCulture, $"| rights | {string.Join(" | ", roles.Select(role => Words(RoleMatrix.Of(role).Rights.ToString()).Replace("none", "", StringComparison.Ordinal)))} |\n");
        return text.ToString();
    }

    private static string Cell(RoleRights rights, Category category) =>
        (rights.Reads.Contains(category), rights.Writes.Contains(category)) switch { (true, true) => "R W", (true, false) => "R", (false, true) => "W", _ => "" };

    /// <summary><c>BirthAndSex</c> is birth and sex.</summary>
    private static string Words(string name) =>
        string.Concat(name.Select((letter, at) => char.IsUpper(letter) ? (at > 0 && char.IsLower(name[at - 1]) ? " " : "") + char.ToLowerInvariant(letter) : letter.ToString()));
}
