namespace Mangrove.Vault.Index;

/// <summary>
/// Hospital numbers in the order of their digits as text, so that a number is found by its beginning. A number of up to
/// 18 digits is filled up with zeros on the right. Hospital numbers count up, so a new one mostly goes to the end.
/// </summary>
internal sealed class NumberOrder
{
    private const int Digits = 18;

    private long[] keys = new long[1 << 10];
    private int[] slots = new int[1 << 10];
    private int count;

    /// <summary>False while a bulk load has left the order for its end; beginnings cannot be looked up then.</summary>
    public bool Sorted { get; private set; } = true;

    /// <summary>The digits of a hospital number as a key; -1 when it has none, too many, or letters beyond <c>P-</c>.</summary>
    public static long KeyOf(ReadOnlySpan<char> number)
    {
        number = number.Trim();
        if (number.Length > 0 && number[0] is 'P' or 'p')
        {
            number = number[1..].TrimStart('-');
        }

        if (number.Length is 0 or > Digits || number.ContainsAnyExceptInRange('0', '9'))
        {
            return -1;
        }

        var key = 0L;
        foreach (var digit in number)
        {
            key = (key * 10) + (digit - '0');
        }

        return key * Power(Digits - number.Length);
    }

    public void Add(long key, int slot, bool bulk)
    {
        if (count == keys.Length)
        {
            Array.Resize(ref keys, count * 2);
            Array.Resize(ref slots, count * 2);
        }

        var at = count;
        if (count > 0 && keys[count - 1] > key)
        {
            if (bulk || !Sorted)
            {
                Sorted = false;
            }
            else
            {
                at = First(key);
                Array.Copy(keys, at, keys, at + 1, count - at);
                Array.Copy(slots, at, slots, at + 1, count - at);
            }
        }

        keys[at] = key;
        slots[at] = slot;
        count++;
    }

    public void Remove(long key, int slot)
    {
        var at = Sorted ? First(key) : 0;
        while (at < count && (keys[at] != key || slots[at] != slot))
        {
            at++;
        }

        if (at < count)
        {
            count--;
            Array.Copy(keys, at + 1, keys, at, count - at);
            Array.Copy(slots, at + 1, slots, at, count - at);
        }
    }

    public void Sort()
    {
        if (!Sorted)
        {
            Array.Sort(keys, slots, 0, count);
            Sorted = true;
        }
    }

    /// <summary>Slots whose number begins with these digits, smallest first.</summary>
    public void Find(ReadOnlySpan<char> digits, List<int> found, int most)
    {
        var from = KeyOf(digits);
        if (from < 0)
        {
            return;
        }

        var to = from + Power(Digits - digits.Length) - 1;
        if (!Sorted)
        {
            return;
        }

        for (var at = First(from); at < count && keys[at] <= to && found.Count < most; at++)
        {
            found.Add(slots[at]);
        }
    }

    private int First(long key)
    {
        var low = 0;
        var high = count;
        while (low < high)
        {
            var middle = low + ((high - low) >> 1);
            if (keys[middle] < key)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private static long Power(int exponent)
    {
        var power = 1L;
        for (var i = 0; i < exponent; i++)
        {
            power *= 10;
        }

        return power;
    }
}
