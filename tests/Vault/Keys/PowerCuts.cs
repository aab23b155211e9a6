using System.Security.Cryptography;
using Mangrove.Tests.Vault.Identity;

namespace Mangrove.Tests.Vault.Keys;

internal sealed class PowerCut : Exception;

/// <summary>Cuts the power of a house at random steps of a rotation, and at each step at least once.</summary>
/// <param name="house">The hospital, which starts again after each cut.</param>
/// <param name="every">Each step that a cut can hit, in order of their names.</param>
internal sealed class PowerCuts(IdentityHouse house, string[] every)
{
    private const int Wanted = 100;
    private const int Most = 3 * Wanted;

    private readonly SortedSet<string> hit = new(StringComparer.Ordinal);

    public static int Chance(int below) => RandomNumberGenerator.GetInt32(below);

    /// <param name="through">One try in so many is not cut, so that rotations end and others begin.</param>
    /// <param name="steps">Others end at one of the next so many steps.</param>
    /// <param name="work">Begins a rotation or goes on with one.</param>
    /// <param name="between">What must hold after every try, cut or not.</param>
    public async Task Fall(int through, int steps, Func<Task> work, Func<Task> between)
    {
        var cuts = 0;
        while (cuts < Wanted || (hit.Count < every.Length && cuts < Most))
        {
            // A step that chance did not hit is cut by its name.
            var left = Chance(through) == 0 ? int.MaxValue : 1 + Chance(steps);
            var wanted = cuts < Wanted ? null : Array.Find(every, step => !hit.Contains(step));
            house.Between = step =>
            {
                if (wanted is null ? --left == 0 : step == wanted)
                {
                    hit.Add(step);
                    throw new PowerCut();
                }
            };
            try
            {
                await work();
            }
            catch (PowerCut)
            {
                cuts++;
                await house.Restart();
            }

            house.Between = null;
            await between();
        }

        Assert.True(await house.Keys.Advance(default));
        Assert.Equal(every, hit);
    }
}
