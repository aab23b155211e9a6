using System.CommandLine;
using Mangrove.Cli.CommandLine;
using Mangrove.Kernel;

namespace Mangrove.Cli.Installing;

/// <summary>The options that say where an installation is, for whoever makes one and whoever takes it away.</summary>
internal sealed class InstallPlaces
{
    private readonly Option<string> prefix = new("--prefix") { Description = "Folder of the program.", HelpName = "DIR", DefaultValueFactory = _ => "/opt/mangrove" };
    private readonly Option<string> user = new("--user") { Description = "The account that the service runs as.", HelpName = "NAME", DefaultValueFactory = _ => "mangrove" };
    private readonly Option<string?> root = new("--root") { Description = "Treat this folder as the system's root: no account is made and nothing is started.", HelpName = "DIR" };

    public void AddTo(Command command)
    {
        command.Options.Add(prefix);
        command.Options.Add(user);
        command.Options.Add(root);
    }

    /// <summary>Where it is. Without --data that is /srv/mangrove, and not the folder that other verbs work in.</summary>
    public InstallPlan Read(ParseResult arguments, Call call) => new()
    {
        Root = arguments.GetValue(root) is { } given ? Path.TrimEndingDirectorySeparator(call.Full(given)) : "/",
        Prefix = Path.TrimEndingDirectorySeparator(arguments.GetValue(prefix)!),
        Data = arguments.GetResult(Common.Data) is { Implicit: false } ? Path.TrimEndingDirectorySeparator(arguments.GetValue(Common.Data)!) : "/srv/mangrove",
        User = arguments.GetValue(user)!,
        Address = new Uri("https://0.0.0.0:8443"),
    };

    public static void RequireLinux()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new RefusedInput("install.system", "This command knows Linux. On Windows run install.ps1 of the archive as an administrator.");
        }
    }

    public static void RequireRights(InstallPlan plan)
    {
        if (plan.Here && !Environment.IsPrivilegedProcess)
        {
            throw new RefusedInput("install.rights", "Run this as root: it makes an account, folders and a service. --plan shows them; --root tries it in a folder.");
        }
    }
}
