namespace Mangrove.Cli.Demo;

/// <summary>
/// Repeatable draws (SplitMix64): the same seed and item give the same person on every machine, whatever was drawn for
/// others. For made-up people only; nothing secret ever comes from here.
/// </summary>
internal sealed class Draw
{
    private ulong state;

    private Draw(ulong state) => this.state = state;

    public static Draw For(long seed, long item, int aspect = 0)
    {
        unchecked
        {
            var mixed = new Draw(((ulong)seed * 0x9E3779B97F4A7C15UL) ^ ((ulong)item * 0xD1B54A32D192ED03UL) ^ ((ulong)aspect * 0x8CB92BA72F3D8DD7UL));
            mixed.Next();
            return new Draw(mixed.Next());
        }
    }

    /// <summary>From 0 up to, without, <paramref name="count"/>.</summary>
    public int Below(int count) => (int)(((Next() >> 32) * (ulong)count) >> 32);

    public int Between(int least, int most) => least + Below(most - least + 1);

    /// <summary>From 0 up to, without, 1.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => Unit() < probability;

    public T Of<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];

    /// <summary>A choice by weight.</summary>
    public T Of<T>(IReadOnlyList<T> choices, Func<T, int> weight)
    {
        var left = Below(choices.Sum(weight));
        foreach (var choice in choices)
        {
            left -= weight(choice);
            if (left < 0)
            {
                return choice;
            }
        }

        return choices[^1];
    }

    /// <summary>Around a mean, by the normal distribution, cut at three deviations.</summary>
    public double Around(double mean, double deviation)
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - Unit()));
        var drawn = radius * Math.Cos(2 * Math.PI * Unit());
        return mean + (Math.Clamp(drawn, -3, 3) * deviation);
    }

    public decimal Around(double mean, double deviation, int decimals, double least, double most) =>
        Math.Round((decimal)Math.Clamp(Around(mean, deviation), least, most), decimals);

    /// <summary>An id that is repeatable with the rest.</summary>
    public Guid Id()
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, Next());
        BitConverter.TryWriteBytes(bytes[8..], Next());
        return new Guid(bytes);
    }

    private ulong Next()
    {
        unchecked
        {
            state += 0x9E3779B97F4A7C15UL;
            var mixed = state;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
            return mixed ^ (mixed >> 31);
        }
    }
}
