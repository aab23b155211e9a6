using System.CommandLine;
using System.Globalization;
using Mangrove.Cli.CommandLine;

namespace Mangrove.Cli.Verbs;

/// <summary>
/// Names a device and gives its enrolment code: for the first device, and for the day when none is left to sign in at.
/// A device that has the name already gets a new code, which kills the key of before.
/// </summary>
internal sealed class DeviceCodeVerb : HospitalVerb
{
    private readonly Option<string> name = new("--name") { Description = "Name of the device, such as ER-Doctor-Tablet-03.", HelpName = "NAME", Required = true };
    private readonly Option<string?> department = new("--department") { Description = "Its department; needed for a new device.", HelpName = "DEPARTMENT" };

    public DeviceCodeVerb()
        : base("code", "Give a one-time code that registers a browser as the device named.", "device", actsAsSomebody: true) => Add(name, department);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var devices = hospital.Vault.Identity.Devices;
        var code = (arguments.GetValue(department) is { } place
            ? await devices.Register(actor, arguments.GetValue(name)!, place, cancel)
            : await devices.Renew(actor, arguments.GetValue(name)!, cancel)).Value;
        return Answer.Of(
            new { name = code.Name, department = code.Department, code = code.Spaced, expires = code.Expires },
            string.Create(CultureInfo.InvariantCulture, $"{code.Spaced}\nOpen /device on this server in the browser of {code.Name} and type this code. Good once, until {code.Expires:yyyy-MM-dd HH:mm} UTC."));
    }
}

/// <summary>Every registered device.</summary>
internal sealed class DeviceListVerb() : HospitalVerb("list", "Every device with its department and state, and whether others are let in.", "device", actsAsSomebody: true)
{
    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var devices = hospital.Vault.Identity.Devices;
        var all = (await devices.List(actor, cancel)).Select(one => new { name = one.Name, department = one.Department, created = one.Created, enrolled = one.Enrolled, codeExpires = one.CodeExpires }).ToArray();
        return Answer.Of(
            new { registeredOnly = devices.Required, devices = all },
            string.Join('\n', all
                .Select(one => $"{one.name,-32} {one.department,-24} {(one.enrolled is null ? "awaiting its browser" : "in use")}")
                .Append(devices.Required ? "People sign in at registered devices only." : "People sign in from any device.")));
    }
}

/// <summary>Takes a device out of the house.</summary>
internal sealed class DeviceRevokeVerb : HospitalVerb
{
    private readonly Option<string> name = new("--name") { Description = "Name of the device.", HelpName = "NAME", Required = true };

    public DeviceRevokeVerb()
        : base("revoke", "Take a device out of the house: its key is dead and its sessions end at once.", "device", actsAsSomebody: true) => Add(name);

    public override async Task<Answer> Run(Hospital hospital, ParseResult arguments, Call call, CancellationToken cancel)
    {
        var actor = await Actor(hospital, arguments, call, cancel);
        var revoked = (await hospital.Vault.Identity.Devices.Revoke(actor, arguments.GetValue(name)!, cancel)).Value;
        return Answer.Of(new { name = revoked.Name, department = revoked.Department }, $"{revoked.Name} is revoked.");
    }
}
