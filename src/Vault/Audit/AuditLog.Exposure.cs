using System.Text;
using Mangrove.Kernel;

namespace Mangrove.Vault.Audit;

/// <summary>
/// Exactly whose records were opened, by whom and from where. The entries are walked through in ranges, several at a time, as
/// they stand in the store; only what fits is kept, one row for each patient, actor and place.
/// </summary>
internal sealed partial class AuditLog
{
    private const int RangesEach = 8;

    /// <summary>Asks the log. Entries that were refused opened nothing and do not count.</summary>
    /// <param name="question">What is asked.</param>
    /// <param name="mostRows">With more rows than that the answer is refused.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="RefusedInput"><c>incident.too-much</c>, or <c>audit.format</c> where an entry cannot be read.</exception>
    public Task<Exposure> Expose(ExposureQuestion question, int mostRows, CancellationToken cancellation) => Task.Run(
        () =>
        {
            var size = newest?.Size ?? 0;
            long first, last;
            using (var source = store.Read())
            {
                (first, last) = source.Between(question.Since, question.Until);
            }

            last = Math.Min(last, size);
            if (first == 0 || last < first)
            {
                return new Exposure([], [], 0, size);
            }

            var hands = Environment.ProcessorCount;
            var step = Math.Max(1, ((last - first + 1) + (hands * RangesEach) - 1) / (hands * RangesEach));
            var next = first - 1;
            var gate = new Lock();
            var tallies = new Tally[hands];
            var rows = 0;
            Parallel.For(0, hands, new ParallelOptions { MaxDegreeOfParallelism = hands, CancellationToken = cancellation }, hand =>
            {
                var tally = tallies[hand] = new Tally(question);
                using var source = store.Read();
                while (true)
                {
                    long above;
                    lock (gate)
                    {
                        (above, next) = (next, next + step);
                    }

                    if (above >= last)
                    {
                        return;
                    }

                    var before = tally.Rows;
                    source.Scan(question, above, Math.Min(above + step, last), body =>
                    {
                        tally.Take(body);
                        if (tally.Rows > mostRows)
                        {
                            throw TooMuch(mostRows);
                        }
                    });
                    cancellation.ThrowIfCancellationRequested();
                    if (Interlocked.Add(ref rows, tally.Rows - before) > mostRows * hands)
                    {
                        throw TooMuch(mostRows);
                    }
                }
            });
            var merged = Merge(tallies, mostRows, size);
            return question.Patient is null ? merged : merged with { Everybody = ExportsOf(question, last) };
        },
        cancellation).ContinueWith(Plain, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).Unwrap();

    // An export of everybody took the one patient's record with it, and stands in no row of the lookup by patient.
    private List<ExposedEverybody> ExportsOf(ExposureQuestion question, long last)
    {
        var found = new List<ExposedEverybody>();
        var filter = new AuditFilter { Action = AuditReview.Exporting, Actor = question.Actor, Since = question.Since, Until = question.Until, NewestFirst = false };
        using var source = store.Read();
        while (true)
        {
            var page = source.Find(filter, ListPage).Select(Parse).ToList();
            found.AddRange(page
                .Where(entry => entry.Seq <= last && entry.Outcome != AuditOutcome.Refused && entry.Resource == Vault.Request.EveryoneResource && (question.Device is null || new AuditFilter { Device = question.Device }.Fits(entry)))
                .Select(entry => new ExposedEverybody(entry.Seq, entry.Timestamp, entry.Actor, entry.Device, entry.Action, entry.Count)));
            if (page.Count < ListPage)
            {
                return found;
            }

            filter = filter with { Beyond = page[^1].Seq };
        }
    }

    // What one hand threw comes out of all of them wrapped; the caller is told the one reason.
    private static Task<Exposure> Plain(Task<Exposure> asked) =>
        asked.Exception?.Flatten().InnerExceptions.OfType<RefusedInput>().FirstOrDefault() is { } refused ? Task.FromException<Exposure>(refused) : asked;

    private static RefusedInput TooMuch(int most) => new(
        "incident.too-much",
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"More than {most:#,##0} rows answer this. Ask for a shorter time, or for one account at that device."));

    private static Exposure Merge(Tally[] tallies, int mostRows, long size)
    {
        var merged = new Dictionary<(Guid Patient, string Actor, string Device), (int Acts, long First, long Last, HashSet<string> Actions, HashSet<string> Fields)>();
        foreach (var row in tallies.SelectMany(tally => tally.All()))
        {
            var key = (row.Patient, row.Actor, row.Device);
            if (merged.TryGetValue(key, out var known))
            {
                known.Actions.UnionWith(row.Actions);
                known.Fields.UnionWith(row.Fields);
                merged[key] = (known.Acts + row.Acts, Math.Min(known.First, row.First), Math.Max(known.Last, row.Last), known.Actions, known.Fields);
            }
            else
            {
                merged.Add(key, (row.Acts, row.First, row.Last, [.. row.Actions], [.. row.Fields]));
            }
        }

        if (merged.Count > mostRows)
        {
            throw TooMuch(mostRows);
        }

        return new Exposure(
            [
                .. merged.OrderBy(one => one.Key.Patient).ThenBy(one => one.Key.Actor, StringComparer.Ordinal).ThenBy(one => one.Key.Device, StringComparer.Ordinal).Select(one => new ExposedPatient(
                    one.Key.Patient,
                    one.Key.Actor,
                    one.Key.Device,
                    one.Value.Acts,
                    DateTimeOffset.FromUnixTimeMilliseconds(one.Value.First),
                    DateTimeOffset.FromUnixTimeMilliseconds(one.Value.Last),
                    [.. one.Value.Actions.Order(StringComparer.Ordinal)],
                    [.. one.Value.Fields.Order(StringComparer.Ordinal)])),
            ],
            [.. tallies.SelectMany(tally => tally.Everybody).OrderBy(one => one.Seq)],
            tallies.Sum(tally => tally.Acts),
            size);
    }

    /// <summary>What one hand found. Names are kept once each, and stand in the rows as numbers.</summary>
    private sealed class Tally(ExposureQuestion question)
    {
        private readonly byte[]? device = question.Device is { } wanted ? Encoding.UTF8.GetBytes(wanted) : null;
        private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
        private readonly List<string> names = [];
        private readonly Dictionary<(Guid Patient, int Actor, int Device), Row> rows = [];
        private readonly char[] letters = new char[4096];

        public int Rows => rows.Count;

        public long Acts { get; private set; }

        public List<ExposedEverybody> Everybody { get; } = [];

        public void Take(ReadOnlySpan<byte> body)
        {
            if (!EntryParser.TryParse(body, out var entry))
            {
                throw new RefusedInput("audit.format", "An entry of the log cannot be read. Verify the log: 'mangrove audit verify'.");
            }

            var place = device is null ? default : entry.TextAt(4);
            if (device is not null && !IsAt(place, device))
            {
                return;
            }

            if (entry.Patients.IsEmpty)
            {
                if (entry.TextAt(3).SequenceEqual("patients:all"u8))
                {
                    var whole = entry.ToEntry();
                    Everybody.Add(new ExposedEverybody(whole.Seq, whole.Timestamp, whole.Actor, whole.Device, whole.Action, whole.Count));
                }

                return;
            }

            Acts++;
            var (actor, at) = (Number(entry.Actor), Number(entry.TextAt(4)));
            var action = Number(entry.Action);
            var time = entry.UnixMilliseconds;
            Span<int> fields = stackalloc int[EntryEncoder.MostFields];
            var count = 0;
            foreach (var field in entry.Fields)
            {
                fields[count++] = Number(field);
            }

            for (var start = 0; start < entry.Patients.Length; start += 16)
            {
                var patient = new Guid(entry.Patients.Slice(start, 16), bigEndian: true);
                if (question.Patient is { } one && one != patient)
                {
                    continue;
                }

                if (!rows.TryGetValue((patient, actor, at), out var row))
                {
                    rows.Add((patient, actor, at), row = new Row { First = time, Last = time });
                }

                row.Acts++;
                row.First = Math.Min(row.First, time);
                row.Last = Math.Max(row.Last, time);
                row.Actions = With(row.Actions, action);
                for (var field = 0; field < count; field++)
                {
                    row.Fields = With(row.Fields, fields[field]);
                }
            }
        }

        public IEnumerable<(Guid Patient, string Actor, string Device, int Acts, long First, long Last, IEnumerable<string> Actions, IEnumerable<string> Fields)> All() =>
            rows.Select(row => (row.Key.Patient, names[row.Key.Actor], names[row.Key.Device], row.Value.Acts, row.Value.First, row.Value.Last, row.Value.Actions.Select(name => names[name]), row.Value.Fields.Select(name => names[name])));

        // As the filter of the audit page: the whole name, or what follows "address:".
        private static bool IsAt(ReadOnlySpan<byte> place, ReadOnlySpan<byte> wanted) =>
            Ascii.EqualsIgnoreCase(place, wanted)
            || (place.Length > wanted.Length && place[^(wanted.Length + 1)] == (byte)':' && Ascii.EqualsIgnoreCase(place[^wanted.Length..], wanted));

        // The arrays are shared by most rows: what is done with one record is done with many.
        private static int[] With(int[] sorted, int number)
        {
            var place = Array.BinarySearch(sorted, number);
            return place >= 0 ? sorted : [.. sorted[..~place], number, .. sorted[~place..]];
        }

        private int Number(ReadOnlySpan<byte> text)
        {
            var name = letters.AsSpan(0, Encoding.UTF8.GetChars(text, letters));
            if (numbers.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var number))
            {
                return number;
            }

            names.Add(name.ToString());
            numbers.Add(names[^1], names.Count - 1);
            return names.Count - 1;
        }

        private sealed class Row
        {
            public int Acts { get; set; }

            public long First { get; set; }

            public long Last { get; set; }

            public int[] Actions { get; set; } = [];

            public int[] Fields { get; set; } = [];
        }
    }
}
