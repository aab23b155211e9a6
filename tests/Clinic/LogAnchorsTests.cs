using Mangrove.Clinic;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Microsoft.EntityFrameworkCore;

namespace Mangrove.Tests.Clinic;

public sealed class LogAnchorsTests
{
    private const int Kept = 1_000;
    private const int Older = Kept + 100;

    [Theory, InlineData(StorageKind.Sqlite), InlineData(StorageKind.Postgres)]
    public async Task The_newest_checkpoint_is_kept_and_the_thousand_newest_stay(StorageKind kind)
    {
        var hospital = await TestHospital.Shared(kind);
        await hospital.As(Role.Nurse);
        await using (var clinic = hospital.Clinic())
        {
            // Smaller than any that the log has signed, so that the other tests' anchors are the newer ones.
            clinic.Anchors.AddRange(Enumerable.Range(1, Older).Select(number => new LogAnchor { Size = -number, Checkpoint = [1], At = hospital.Clock.GetUtcNow() }));
            await clinic.SaveChangesAsync();
        }

        var anchors = new LogAnchors(hospital.Clinics);
        var signed = hospital.Vault.Review.Newest!;
        await anchors.Anchor(signed, default);
        await anchors.Anchor(signed, default);

        Assert.True((await anchors.Newest(default))!.Size >= signed.Size);
        await using (var clinic = hospital.Clinic())
        {
            var kept = await clinic.Anchors.OrderByDescending(anchor => anchor.Size).Select(anchor => anchor.Size).ToListAsync();
            Assert.Contains(signed.Size, kept);
            Assert.DoesNotContain(kept, size => size < -Kept);
            Assert.Contains(kept, size => size < 0);
            await clinic.Anchors.Where(anchor => anchor.Size < 0).ExecuteDeleteAsync();
        }
    }
}
