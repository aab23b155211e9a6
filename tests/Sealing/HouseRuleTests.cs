using System.Reflection;
using System.Runtime.InteropServices;
using Mangrove.Sealing;
using Mangrove.Tests.Shared;

namespace Mangrove.Tests.Sealing;

public sealed class HouseRuleTests
{
    private static readonly Assembly Room = typeof(Envelope).Assembly;

    [Fact]
    public void No_public_member_takes_a_nonce()
    {
        var offenders =
            from type in Room.GetExportedTypes()
            from method in type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static).OfType<MethodBase>()
            where method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly
            from parameter in method.GetParameters()
            where parameter.Name is { } name && (name.Contains("nonce", StringComparison.OrdinalIgnoreCase) || name.Equals("iv", StringComparison.OrdinalIgnoreCase))
            select $"{type.Name}.{method.Name}({parameter.Name})";
        Assert.Empty(offenders);
        Assert.DoesNotContain(Room.GetExportedTypes(), type => type.Name.Contains("Nonce", StringComparison.Ordinal));
    }

    [Fact]
    public void No_key_is_ever_text()
    {
        var offenders =
            from type in new[] { typeof(KeyMaterial), typeof(KeyWrap), typeof(CheckpointSigner), typeof(KeyDerivation), typeof(RecoveryKey), typeof(RecoverySeal), typeof(SecretShares) }
            from method in type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            where method.GetParameters().Any(p => p.ParameterType == typeof(string))
                || (method.ReturnType == typeof(string) && method.Name != nameof(ToString))
            select $"{type.Name}.{method.Name}";
        Assert.Empty(offenders);
        Assert.DoesNotContain(
            typeof(KeyMaterial).GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public),
            field => field.FieldType == typeof(string));
    }

    [Fact]
    public void The_room_references_only_the_kernel_and_the_runtime() =>
        Assert.DoesNotContain(
            Room.GetReferencedAssemblies(),
            name => !(name.Name!.StartsWith("System.", StringComparison.Ordinal) || name.Name == "Mangrove.Kernel"));

    [Fact]
    public void Nonces_do_not_repeat()
    {
        var count = SharedData.Full ? 10_000_000 : 200_000;
        using var key = KeyMaterial.Generate();
        var here = new CellAddress(default, "t", "c", default, default, 1);
        var seen = new HashSet<UInt128>(count);
        for (var i = 0; i < count; i++)
        {
            var envelope = Envelope.Seal([], key, default, 1, here, Padding.To(1));
            Assert.True(seen.Add(new UInt128(BitConverter.ToUInt32(envelope, 22), BitConverter.ToUInt64(envelope, 26))));
        }
    }

    [Fact]
    public void Two_machines_woken_from_one_snapshot_draw_different_nonces()
    {
        // The snapshot is this thread's pool: it is put back by force, as restoring a virtual machine would.
        using var key = KeyMaterial.Generate();
        var here = new CellAddress(default, "t", "c", default, default, 1);
        byte[] Draw() => Envelope.Seal([], key, default, 1, here)[22..34];
        Draw();
        var source = Room.GetType("Mangrove.Sealing.NonceSource")!;
        var pool = (byte[])source.GetField("pool", BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null)!;
        var next = source.GetField("next", BindingFlags.NonPublic | BindingFlags.Static)!;
        var (savedPool, savedNext) = ((byte[])pool.Clone(), next.GetValue(null));
        if ((int)savedNext! + 12 > pool.Length)
        {
            Draw();
            (savedPool, savedNext) = ((byte[])pool.Clone(), next.GetValue(null));
        }

        var first = Draw();
        savedPool.CopyTo(pool, 0);
        next.SetValue(null, savedNext);
        var second = Draw();
        Assert.Equal(first[8..], second[8..]); // the same random bits, or the test would prove nothing
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void A_key_lies_in_pinned_memory_and_is_gone_after_it_is_disposed()
    {
        var key = KeyMaterial.Generate();
        ref var first = ref MemoryMarshal.GetReference(key.Bytes);
        var copy = key.Bytes.ToArray();
        GC.Collect();
        GC.Collect();
        Assert.True(MemoryMarshal.CreateReadOnlySpan(ref first, 32).SequenceEqual(copy));
        var field = typeof(KeyMaterial).GetField("bytes", BindingFlags.Instance | BindingFlags.NonPublic)!;
        var bytes = (byte[])field.GetValue(key)!;
        Assert.Equal(GC.MaxGeneration, GC.GetGeneration(bytes));
        key.Dispose();
        Assert.Equal(new byte[32], bytes);
    }
}
