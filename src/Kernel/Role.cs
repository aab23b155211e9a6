namespace Mangrove.Kernel;

/// <summary>The seven clinical roles of the whitepaper (2.3.2). Fixed: a hospital cannot add or change one.</summary>
public enum Role
{
    FrontDesk = 1,
    Cashier = 2,
    Nurse = 3,
    Doctor = 4,
    Pharmacist = 5,
    LabTech = 6,
    Admin = 7,
}

/// <summary>How a role is named to people and on the command line.</summary>
public static class RoleNames
{
    public static string Title(this Role role) => role switch
    {
        Role.FrontDesk => "Front Desk",
        Role.LabTech => "Lab Tech",
        _ => role.ToString(),
    };

    /// <summary>Lower case with hyphens, as scripts write it: <c>front-desk</c>, <c>lab-tech</c>.</summary>
    public static string Slug(this Role role) => role switch
    {
        Role.FrontDesk => "front-desk",
        Role.Cashier => "cashier",
        Role.Nurse => "nurse",
        Role.Doctor => "doctor",
        Role.Pharmacist => "pharmacist",
        Role.LabTech => "lab-tech",
        Role.Admin => "admin",
        _ => throw new ArgumentOutOfRangeException(nameof(role)),
    };

    public static Result<Role> Parse(string? slug)
    {
        foreach (var role in Enum.GetValues<Role>())
        {
            if (string.Equals(role.Slug(), slug, StringComparison.OrdinalIgnoreCase))
            {
                return role;
            }
        }

        return new Error("role.unknown", "Unknown role. Use one of: front-desk, cashier, nurse, doctor, pharmacist, lab-tech, admin.");
    }
}
