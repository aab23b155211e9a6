using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Vault.Audit;
using Mangrove.Vault.Index;
using Mangrove.Vault.Watching;

namespace Mangrove.Tests.Vault.Watching;

/// <summary>
/// Six weeks of a hospital's accesses as its log would hold them, made up with the same result each time: people at work in
/// their hours and departments, patients who come, are looked at, mostly written for, and go; and misuse planted in the last
/// two weeks, which the truth names.
/// </summary>
internal sealed class AccessLog
{
    public const string Place = "Africa/Nairobi";

    private const int Days = 42;
    private const int Learning = 28;
    private const int Patients = 6_000;
    private const int VisitsInADay = 260;

    private static readonly string[] Departments = ["Outpatients", "Ward 1", "Ward 2", "Laboratory", "Pharmacy"];
    private static readonly string[] Begin = ["Od", "Wan", "Ka", "Mu", "Che", "Ny", "Ki", "O", "A", "Ma", "Ha", "Ro", "Si", "Te", "Lo", "Ba"];
    private static readonly string[] Middle = ["hi", "jo", "ma", "ti", "ra", "be", "le", "nda", "ko", "sso", "yu", "pe"];
    private static readonly string[] End = ["ambo", "ku", "ri", "ni", "eno", "tai", "ala", "wa", "ita", "ro"];

    private readonly List<(DateTimeOffset At, Func<long, AuditEntry> Make, string? Truth)> acts = [];
    private readonly List<Guid> patients = [];
    private readonly Dictionary<Guid, PersonName> names = [];
    private readonly List<Worker> workers = [];
    private readonly DateTimeOffset start = new(2026, 3, 2, 0, 0, 0, TimeSpan.FromHours(3));
    private uint state = 20_261_123;

    public AccessLog()
    {
        var families = Enumerable.Range(0, 900).Select(n => Begin[n % 16] + Middle[n / 16 % 12] + End[n / 192 % 10]).ToArray();
        for (var n = 0; n < Patients; n++)
        {
            // Few names are had by many, and many by few.
            var share = Next(1_000) / 1_000.0;
            Add(new PersonName(families[(int)(share * share * families.Length)], [Begin[Next(16)] + End[Next(10)], Begin[Next(16)] + Middle[Next(12)]]));
        }

        for (var n = 0; n < 60; n++)
        {
            var name = names[patients[Next(patients.Count)]];
            var worker = new Worker($"staff{n:00}", n + 1, $"Dr {Begin[Next(16)]}{Middle[Next(12)]}{End[Next(10)]} {name.Family}", Departments[n % Departments.Length], n % 7 == 6 ? 20 : n % 3 == 0 ? 7 : 8, $"{Departments[n % Departments.Length]}-PC-{(n % 4) + 1}");
            workers.Add(worker);
        }

        for (var day = 0; day < Days; day++)
        {
            Day(day);
        }

        Plant();
        var number = 0L;
        foreach (var (_, make, truth) in acts.OrderBy(act => act.At))
        {
            var entry = make(++number);
            Entries.Add(entry);
            if (truth is not null)
            {
                if (!Truth.TryGetValue(truth, out var seqs))
                {
                    Truth.Add(truth, seqs = []);
                }

                seqs.Add(entry.Seq);
            }
        }
    }

    public List<AuditEntry> Entries { get; } = [];

    /// <summary>Each planted misuse, <c>rule/number</c>, with the entries of it.</summary>
    public Dictionary<string, HashSet<long>> Truth { get; } = new(StringComparer.Ordinal);

    public Dictionary<Guid, WatchFlag> Flags { get; } = [];

    public IReadOnlyList<WatchedStaff> Staff => [.. workers.Select(worker => new WatchedStaff(worker.Number, worker.User, worker.Name, worker.Department))];

    public void Fill(PatientIndex index)
    {
        index.PutMany(names.Select((one, n) => new IndexEntry(new PatientId(one.Key), Mrn.FromSequence(n).ToString(), one.Value, new BirthAndSex("1980", AdministrativeSex.Female), [])));
        index.Complete();
    }

    private void Day(int day)
    {
        var coming = Enumerable.Range(0, VisitsInADay).Select(_ => patients[Next(Patients)]).Distinct().ToArray();
        var desk = workers[day % 5];
        foreach (var patient in coming)
        {
            // Open from a quarter of an hour before the earliest look to the end of the next day.
            Act(At(day, 6, Next(50)), desk, "OPEN_VISIT", patient, records: false, fields: false);
            Act(At(day + 1, 6, Next(50)), desk, "CLOSE_VISIT", patient, records: false, fields: false);
        }

        foreach (var worker in workers)
        {
            if (Next(7) < 2)
            {
                continue;
            }

            for (var n = 0; n < 22; n++)
            {
                var at = At(day, worker.From, Next(9 * 60));
                var here = Next(10) > 0;
                var patient = here ? coming[Next(coming.Length)] : patients[Next(Patients)];
                Act(at, worker, Next(2) == 0 ? "VIEW_CHART" : "OPEN_CONSULTATION", patient, records: false, fields: true);
                if (here && Next(4) > 0)
                {
                    Act(at.AddMinutes(4), worker, "SIGN_CONSULTATION", patient, records: true, fields: true);
                }
            }
        }
    }

    private void Plant()
    {
        for (var n = 0; n < 10; n++)
        {
            var day = Learning + 1 + n;
            var worker = workers[(n * 5) + 1];
            var noon = At(day, worker.From, 200 + n);
            Look(noon, worker, Add(Own(worker)), WatchRules.OwnRecord, n);
            Look(noon.AddMinutes(10), worker, Add(Own(workers[(n * 5) + 2])), WatchRules.Colleague, n);
            Look(noon.AddMinutes(20), worker, Add(new PersonName(worker.Name.Split(' ')[^1], ["Relative" + n])), WatchRules.SameFamily, n);
            var vip = Add(new PersonName("Governor" + n, ["Well Known"]));
            Flags[vip] = WatchFlag.Vip;
            Look(noon.AddMinutes(30), worker, vip, WatchRules.Vip, n);
            var decoy = Add(new PersonName("Nobody" + n, ["Such"]));
            Flags[decoy] = WatchFlag.Honeytoken;
            Look(noon.AddMinutes(40), worker, decoy, WatchRules.Honeytoken, n);
            var elsewhere = worker with { Device = "Records-PC-1", At = "Records" + n };
            Look(noon.AddMinutes(50), elsewhere, patients[n], WatchRules.Department, n);
            Look(At(day, (worker.From + 17) % 24, 5), workers[(n * 5) + 1], patients[100 + n], WatchRules.Hours, n);
            var busy = workers[(n * 5) + 3];
            for (var many = 0; many < 90; many++)
            {
                Look(At(day, busy.From + 1, 10).AddSeconds(30 * many), busy, patients[200 + (100 * n) + many], WatchRules.ManyPatients, n);
            }

            for (var again = 0; again < 6; again++)
            {
                Act(At(day, busy.From, 5).AddSeconds(20 * again), busy, "VIEW_CHART", patients[50 + n], records: false, fields: true, AuditOutcome.Refused, $"{WatchRules.Refusals}/{n}");
            }
        }
    }

    private PersonName Own(Worker worker) => new(worker.Name.Split(' ')[^1], [worker.Name.Split(' ')[1]]);

    private Guid Add(PersonName name)
    {
        var id = new Guid(patients.Count + 1, 7, 7, [1, 2, 3, 4, 5, 6, 7, 8]);
        patients.Add(id);
        names.Add(id, name);
        return id;
    }

    private DateTimeOffset At(int day, int hour, int minutes) => start.AddDays(day).AddHours(hour).AddMinutes(minutes);

    private void Look(DateTimeOffset at, Worker worker, Guid patient, string rule, int n) => Act(at, worker, "VIEW_CHART", patient, false, true, AuditOutcome.Allowed, $"{rule}/{n}");

    private void Act(DateTimeOffset at, Worker worker, string action, Guid patient, bool records, bool fields, AuditOutcome outcome = AuditOutcome.Allowed, string? truth = null) => acts.Add((
        at,
        seq => new AuditEntry(seq, at, worker.User, $"S-{worker.Number:0000}", action, "patient", fields ? ["name"] : [], worker.Device, worker.At ?? worker.Department, "sess", "Treatment", "", outcome, AuditKind.Access, 1, [patient], Guid.Empty, Guid.Empty, Guid.Empty, default, default) { Records = records },
        truth));

    private int Next(int below)
    {
        // Numerical Recipes' generator: the same log everywhere.
        state = unchecked((state * 1_664_525) + 1_013_904_223);
        return (int)((state >> 8) % (uint)below);
    }

    private sealed record Worker(string User, int Number, string Name, string Department, int From, string Device, string? At = null);
}
