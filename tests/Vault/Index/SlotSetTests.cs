using Mangrove.Vault.Index;

namespace Mangrove.Tests.Vault.Index;

/// <summary>The slots of one key hold exactly what was added and not removed, in each of their three shapes.</summary>
public sealed class SlotSetTests
{
    [Fact]
    public void A_set_that_was_emptied_holds_what_is_added_next()
    {
        var set = new SlotSet();
        set.Add(3, 100);
        set.Add(5, 100);
        set.Remove(3);
        set.Remove(5);
        set.Add(8, 100);
        Assert.Equal([8], Slots(set));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(12)]
    [InlineData(2_000)]
    public void Whatever_comes_and_goes_the_set_is_right_and_so_is_its_union(int slots)
    {
        var drawn = (ulong)slots;

        // Knuth's MMIX generator: the same course in every run.
        int Draw(int below) => (int)(unchecked(drawn = (drawn * 6364136223846793005) + 1442695040888963407) >> 33) % below;
        var set = new SlotSet();
        var model = new HashSet<int>();
        for (var step = 0; step < 20_000; step++)
        {
            // It grows and shrinks in turns, so that it is empty now and then and full now and then.
            var slot = Draw(slots);
            if (Draw(slots * 6) < (step / (slots * 3) % 2 == 0 ? slots * 5 : slots))
            {
                if (model.Add(slot))
                {
                    set.Add(slot, slots);
                }
            }
            else if (model.Remove(slot))
            {
                set.Remove(slot);
            }

            Assert.Equal(model.Count, set.Count);
            if (step % 17 == 0)
            {
                Assert.Equal(model.Order(), Slots(set));
            }
        }
    }

    private static List<int> Slots(SlotSet set)
    {
        var copied = new List<int>();
        set.CopyTo(copied, int.MaxValue);
        copied.Sort();
        var bits = new ulong[64];
        set.UnionInto(bits);
        Assert.Equal(copied, Enumerable.Range(0, 64 * 64).Where(slot => (bits[slot >> 6] & (1UL << (slot & 63))) != 0));
        return copied;
    }
}
