using Mangrove.Vault.Index;
using Mangrove.Vault.Watching;

namespace Mangrove.Tests.Vault.Watching;

/// <summary>The rules of the watch against a generated access log with a truth.</summary>
public sealed class AccessJudgeTests
{
    [Fact]
    public void Every_planted_misuse_is_found_and_at_most_one_access_in_a_thousand_is_a_false_alarm()
    {
        var log = new AccessLog();
        using var index = new PatientIndex();
        log.Fill(index);
        var limits = new WatchLimits();
        var families = new FamilyNames();
        families.Take(index);
        var people = new WatchedPeople(index, limits, log.Staff, log.Flags, new HashSet<(string, Guid?, string)>(), families);
        var judge = new AccessJudge(people, limits, TimeZoneInfo.FindSystemTimeZoneById(AccessLog.Place));
        var found = log.Entries.SelectMany(entry => judge.Judge(entry).Select(suspicion => (entry.Seq, suspicion.Rule))).ToList();

        Assert.Equal(90, log.Truth.Count);
        var missed = log.Truth.Where(planted => !found.Any(one => planted.Key.StartsWith(one.Rule + "/", StringComparison.Ordinal) && planted.Value.Contains(one.Seq))).Select(planted => planted.Key);
        Assert.Empty(missed);
        var meant = log.Truth.SelectMany(planted => planted.Value.Select(seq => (seq, planted.Key.Split('/')[0]))).ToHashSet();
        var wrong = found.Where(one => !meant.Contains((one.Seq, one.Rule))).ToList();
        Assert.True(log.Entries.Count > 60_000, $"Only {log.Entries.Count} accesses.");
        Assert.True(wrong.Count * 1_000L <= log.Entries.Count, $"{wrong.Count} false alarms in {log.Entries.Count}: {string.Join(", ", wrong.GroupBy(one => one.Rule).Select(rule => $"{rule.Key} {rule.Count()}"))}");
        TestContext.Current.SendDiagnosticMessage($"{found.Count} found in {log.Entries.Count} accesses, {wrong.Count} of them false alarms");

        // Somebody who may is not told of again; a watch without rules would find nothing.
        var first = found.First(one => one.Rule == WatchRules.OwnRecord);
        var entry = log.Entries[(int)first.Seq - 1];
        var excused = new WatchedPeople(index, limits, log.Staff, log.Flags, new HashSet<(string, Guid?, string)> { (entry.Actor, entry.Patients[0], WatchRules.OwnRecord) }, families);
        Assert.DoesNotContain(new AccessJudge(excused, limits, TimeZoneInfo.Utc).Judge(entry), one => one.Rule == WatchRules.OwnRecord);
        Assert.Contains(new AccessJudge(people, limits, TimeZoneInfo.Utc).Judge(entry), one => one.Rule == WatchRules.OwnRecord);
    }

    [Theory]
    [InlineData("Dr Amina Hassan", "amina hassan")]
    [InlineData("Sr. Mary-Jane O'Brien", "mary jane o brien")]
    [InlineData("Prof. Dr. Ángel Muñoz", "angel munoz")]
    public void Names_of_staff_are_compared_without_titles_and_marks(string shown, string words) =>
        Assert.Equal(words.Split(' '), WatchedPeople.Words(shown));
}
