using System.Globalization;
using Mangrove.Vault.Audit;

namespace Mangrove.Vault.Watching;

/// <summary>
/// Judges the entries of the log one after another, in their order, by what it has seen before: who wrote for whom, who is
/// in a queue, when and where somebody usually works. It keeps ids, times and counts and nothing of a record. Not safe for
/// several threads.
/// </summary>
internal sealed class AccessJudge(IWatchedPeople people, WatchLimits limits, TimeZoneInfo zone)
{
    // Lists, searches and drafts are no look into a record; registering somebody is not either.
    private static readonly HashSet<string> NoLook = new(StringComparer.Ordinal)
    {
        "VIEW_WORKLIST", "REFRESH_WORKLIST", "SEARCH_PATIENT", "CHECK_DUPLICATE", "OPEN_DRAFT", "SAVE_DRAFT", "FIND_SPECIMEN",
        "REGISTER_PATIENT", "PREPARE_NEWBORN", "PRINT_DOWNTIME_LISTS", "POST_CHARGES",
    };

    private readonly Dictionary<string, Person> persons = new(StringComparer.Ordinal);

    // Since when a patient is in a queue.
    private readonly Dictionary<Guid, DateTimeOffset> inHouse = [];

    /// <summary>What this entry gives rise to, the gravest first; it is part of what is known afterwards.</summary>
    public IReadOnlyList<Suspicion> Judge(AuditEntry entry)
    {
        if (entry.Kind != AuditKind.Access || people.Staff(entry.Actor) is not (true, var department))
        {
            return [];
        }

        if (!persons.TryGetValue(entry.Actor, out var person))
        {
            persons.Add(entry.Actor, person = new Person());
        }

        Follow(entry);
        var found = new List<Suspicion>();
        var local = TimeZoneInfo.ConvertTime(entry.Timestamp, zone);
        var day = DateOnly.FromDateTime(local.DateTime);
        person.Forget(day.AddDays(-(int)limits.Usual.TotalDays), entry.Timestamp - limits.Involved);
        if (entry.Outcome == AuditOutcome.Refused)
        {
            var refused = person.Refused(entry.Timestamp, TimeSpan.FromMinutes(10));
            if (refused >= limits.RefusalsInTenMinutes)
            {
                Say(WatchRules.Refusals, null, Text($"{refused} within ten minutes"));
            }

            return found;
        }

        var look = entry is { Patients.Count: 1, FieldsAccessed.Count: > 0 } && !NoLook.Contains(entry.Action) && entry.Outcome == AuditOutcome.Allowed;
        if (look)
        {
            var patient = entry.Patients[0];
            Patient(patient, involved: person.Wrote.ContainsKey(patient) || entry.Records);
            var different = person.Looked(entry.Timestamp, patient);
            if (different > limits.PatientsInAnHour)
            {
                Say(WatchRules.ManyPatients, null, Text($"{different} within an hour"));
            }
        }

        if (look || entry.Records)
        {
            if (entry.Department.Length > 0 && department is { Length: > 0 } && !string.Equals(entry.Department, department, StringComparison.OrdinalIgnoreCase)
                && !person.Departments.ContainsKey(entry.Department))
            {
                Say(WatchRules.Department, null, "");
            }

            if (person.Days.Count(known => known.Key < day) >= limits.DaysToKnow && !person.Usual(local.Hour, day))
            {
                Say(WatchRules.Hours, null, Text($"at {local:HH:mm}"));
            }

            person.Days[day] = person.Days.GetValueOrDefault(day) | (1 << local.Hour);
            if (entry.Department.Length > 0)
            {
                person.Departments[entry.Department] = day;
            }
        }

        if (entry.Records && entry.Patients is [var whose])
        {
            person.Wrote[whose] = entry.Timestamp;
        }

        return found;

        void Patient(Guid patient, bool involved)
        {
            var flag = people.Flag(patient);
            if (flag == WatchFlag.Honeytoken)
            {
                Say(WatchRules.Honeytoken, patient, "");
            }

            var tie = people.Tie(entry.Actor, patient);
            if (tie.HasFlag(NameTie.Self))
            {
                Say(WatchRules.OwnRecord, patient, "");
                return;
            }

            if (involved)
            {
                return;
            }

            if (flag == WatchFlag.Vip)
            {
                Say(WatchRules.Vip, patient, "");
            }

            var waits = inHouse.ContainsKey(patient);
            if (tie.HasFlag(NameTie.Colleague))
            {
                Say(WatchRules.Colleague, patient, waits ? "in a queue" : "in no queue");
            }
            else if (tie.HasFlag(NameTie.SameFamily) && (!waits || tie.HasFlag(NameTie.Rare)))
            {
                Say(WatchRules.SameFamily, patient, waits ? "in a queue" : "in no queue");
            }
        }

        void Say(string rule, Guid? patient, string detail)
        {
            if (!people.Excused(entry.Actor, patient, rule) && person.First(rule, patient, entry.Timestamp, limits.Again))
            {
                found.Add(new Suspicion(rule, detail));
            }
        }
    }

    /// <summary>Who is in a queue, by what the log says of visits. One that nobody closed ends after two days.</summary>
    private void Follow(AuditEntry entry)
    {
        if (entry.Outcome != AuditOutcome.Allowed || entry.Patients is not [var patient])
        {
            return;
        }

        if (entry.Action == "OPEN_VISIT")
        {
            inHouse[patient] = entry.Timestamp;
        }
        else if (entry.Action == "CLOSE_VISIT" || (inHouse.TryGetValue(patient, out var since) && entry.Timestamp - since > TimeSpan.FromDays(2)))
        {
            inHouse.Remove(patient);
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>What is known of one member of staff.</summary>
    private sealed class Person
    {
        private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

        private readonly Queue<(DateTimeOffset At, Guid Patient)> hour = new();
        private readonly Dictionary<Guid, int> inHour = [];
        private readonly Queue<DateTimeOffset> refusals = new();
        private readonly Dictionary<(string Rule, Guid? Patient), DateTimeOffset> said = [];
        private DateOnly forgotten;

        /// <summary>The hours in which they worked, a bit for each, by day.</summary>
        public Dictionary<DateOnly, int> Days { get; } = [];

        /// <summary>When they last worked in a department.</summary>
        public Dictionary<string, DateOnly> Departments { get; } = new(StringComparer.OrdinalIgnoreCase);

        /// <summary>When they last wrote for a patient.</summary>
        public Dictionary<Guid, DateTimeOffset> Wrote { get; } = [];

        /// <summary>Once a day lets go of what no longer counts.</summary>
        public void Forget(DateOnly oldest, DateTimeOffset involved)
        {
            if (oldest <= forgotten)
            {
                return;
            }

            forgotten = oldest;
            Remove(Days, day => day.Key < oldest);
            Remove(Departments, one => one.Value < oldest);
            Remove(Wrote, one => one.Value < involved);
            Remove(said, one => one.Value < involved);
        }

        /// <summary>Whether they have worked in this hour or two beside it on an earlier day.</summary>
        public bool Usual(int hourOfDay, DateOnly today)
        {
            var near = 0;
            for (var beside = -2; beside <= 2; beside++)
            {
                near |= 1 << ((hourOfDay + beside + 24) % 24);
            }

            return Days.Any(day => day.Key < today && (day.Value & near) != 0);
        }

        /// <summary>Different patients within the last hour, this one with them.</summary>
        public int Looked(DateTimeOffset at, Guid patient)
        {
            hour.Enqueue((at, patient));
            inHour[patient] = inHour.GetValueOrDefault(patient) + 1;
            while (hour.TryPeek(out var oldest) && at - oldest.At > Hour)
            {
                hour.Dequeue();
                if (--inHour[oldest.Patient] == 0)
                {
                    inHour.Remove(oldest.Patient);
                }
            }

            return inHour.Count;
        }

        public int Refused(DateTimeOffset at, TimeSpan within)
        {
            refusals.Enqueue(at);
            while (refusals.TryPeek(out var oldest) && at - oldest > within)
            {
                refusals.Dequeue();
            }

            return refusals.Count;
        }

        /// <summary>Whether this has not been said for some time.</summary>
        public bool First(string rule, Guid? patient, DateTimeOffset at, TimeSpan again)
        {
            if (said.TryGetValue((rule, patient), out var last) && at - last < again)
            {
                return false;
            }

            said[(rule, patient)] = at;
            return true;
        }

        private static void Remove<TKey, TValue>(Dictionary<TKey, TValue> from, Func<KeyValuePair<TKey, TValue>, bool> gone)
            where TKey : notnull
        {
            foreach (var one in from.Where(gone).ToList())
            {
                from.Remove(one.Key);
            }
        }
    }
}
