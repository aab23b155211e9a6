namespace Mangrove.Tests.Architecture;

/// <summary>Whoever starts the product by its scripts starts it without the runtime's dumps and debugger, because keys are in its memory (threats K10).</summary>
public class StartScriptTests
{
    [Theory]
    [InlineData("run", "export ", "run.mjs")]
    [InlineData("mangrove", "export ", "exec \"$home/artifacts/bin/Cli/release/mangrove\"")]
    [InlineData("run.cmd", "set ", "run.mjs")]
    [InlineData("mangrove.cmd", "set ", "mangrove.exe")]
    public void The_runtimes_dumps_and_debugger_are_off_before_the_product_starts(string script, string sets, string starts)
    {
        var lines = House.Read(script).Split('\n');
        var start = Array.FindIndex(lines, line => line.Contains(starts, StringComparison.Ordinal));
        Assert.True(start >= 0, "The script starts the product otherwise than this test knows.");
        foreach (var setting in (string[])["DOTNET_EnableDiagnostics=0", "DOTNET_DbgEnableMiniDump=0"])
        {
            var set = Array.FindIndex(lines, line => line.StartsWith(sets, StringComparison.Ordinal) && line.Contains(setting, StringComparison.Ordinal));
            Assert.InRange(set, 0, start - 1);
        }
    }
}
