namespace Mangrove.Tests.Cli;

/// <summary>The page of commands says what the executable says of itself.</summary>
public class CommandPageTests
{
    [Fact]
    public async Task The_page_of_commands_is_what_help_says()
    {
        var help = await Executable.Run("help-page");
        Assert.Equal(0, help.Exit);
        var page = await File.ReadAllTextAsync(Path.Combine(Root(), "docs", "operations", "commands.md"));
        Assert.True(page == help.Out, "docs/operations/commands.md differs from the options of the executable. Write it anew: ./mangrove help-page > docs/operations/commands.md");
    }

    [Fact]
    public async Task The_table_of_access_is_what_the_policy_says()
    {
        var said = await Executable.Run("access-page");
        Assert.Equal(0, said.Exit);
        var page = await File.ReadAllTextAsync(Path.Combine(Root(), "docs", "access.md"));
        Assert.True(page == said.Out, "docs/access.md differs from the policy. Write it anew: ./mangrove access-page > docs/access.md");
    }

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Mangrove.slnx")))
        {
            at = at.Parent;
        }

        return at?.FullName ?? throw new InvalidOperationException("The tests do not run inside the project's folder.");
    }
}
