using System.Reflection;

namespace Mangrove.Tests.Architecture;

/// <summary>
/// Nobody outside Vault can make or name what the door is built on. The proof is the compiler's: each program below is
/// compiled as another assembly of the house and must be refused for the reason given.
/// </summary>
public class VaultWallTests
{
    private const string Inaccessible = "CS0122";
    private const string NoConstructor = "CS1729";

    /// <summary>Types of the key folder that another room may name: how the root key is protected, and a key's age; never a key.</summary>
    private static readonly string[] NamedOutside = ["KeyState", "PatientKeyState", "ProtectorKind", "RootGuard", "RootSecret", "TokenWanted", "TpmWanted", .. OfRecovery];

    /// <summary>
    /// Of recovery, what a page and a command need: sets by name and date, sheets on their way to paper and back, and what
    /// a backup carries openly. A sheet is no key; that K of them become one happens inside (<c>RecoveryRecipients.Open</c>).
    /// </summary>
    private static string[] OfRecovery => ["GroupAsked", "RecoveryRecipients", "RecoverySecret", "RecoverySlot", "RecoveryState", "ShareCeremony", "ShareSet", "ShareSheet"];

    private static readonly Assembly Vault = House.Load("Vault");

    private static readonly string[] Outside = ["Mangrove.Clinic", "Mangrove.Portability", "Mangrove.Api", "Mangrove.Web", "mangrove", "Stranger"];

    public static TheoryData<string, string, string[]> Forbidden => new()
    {
        { "making a grant", "class A { object M() => new Mangrove.Vault.Access.Grant(); }", [Inaccessible] },
        { "naming a grant", "class A { Mangrove.Vault.Access.Grant? G; }", [Inaccessible] },
        { "naming the policy that makes grants", "class A { Mangrove.Vault.Access.Grant.Policy? P; }", [Inaccessible] },
        { "making a receipt", "class A { object M() => new Mangrove.Vault.Audit.Receipt(); }", [Inaccessible] },
        { "naming a receipt", "class A { Mangrove.Vault.Audit.Receipt? R; }", [Inaccessible] },
        { "naming the log that makes receipts", "class A { Mangrove.Vault.Audit.Receipt.Log? L; }", [Inaccessible] },
        { "making an actor", "class A { object M() => new Mangrove.Vault.Identity.Actor(); }", [NoConstructor, Inaccessible] },
        { "naming the maker of actors", "class A { object M() => typeof(Mangrove.Vault.Identity.Actor.Maker); }", [Inaccessible] },
        { "making an opening", "class A { object M() => new Mangrove.Vault.Opening(); }", [NoConstructor, Inaccessible] },
        { "making a door", "class A { object M() => new Mangrove.Vault.Door(); }", [NoConstructor, Inaccessible] },
    };

    public static TheoryData<string> KeyTypes =>
        [.. Vault.GetTypes().Where(type => type.Namespace == "Mangrove.Vault.Keys" && !type.IsNested && !type.Name.Contains('<', StringComparison.Ordinal)
            && !NamedOutside.Contains(type.Name)).Select(type => type.FullName!)];

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void The_compiler_refuses_another_room(string act, string program, string[] reasons)
    {
        foreach (var name in Outside)
        {
            var errors = Compiling.Errors(Compiling.Library(name, [("Program.cs", program)]));
            Assert.True(errors.Length > 0, $"{name} got away with {act}.");
            Assert.All(errors, error => Assert.Contains(error.Split(' ')[0], reasons));
        }
    }

    [Theory]
    [MemberData(nameof(KeyTypes))]
    public void The_compiler_refuses_another_room_that_names_a_key_type(string type)
    {
        // typeof is the one use that every kind of type allows.
        var errors = Compiling.Errors(Compiling.Library("Mangrove.Clinic", [("Program.cs", $"class A {{ object M() => typeof({type.Split('`')[0]}{(type.Contains('`', StringComparison.Ordinal) ? "<>" : "")}); }}")]));
        Assert.StartsWith(Inaccessible, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void The_key_ring_is_where_this_test_looks_for_it()
    {
        Assert.Contains("Mangrove.Vault.Keys.KeyRing", KeyTypes.Select(row => row.Data));
        Assert.Contains("Mangrove.Vault.Keys.PatientKey", KeyTypes.Select(row => row.Data));
    }

    [Fact]
    public void The_compiler_accepts_another_room_that_goes_through_the_door()
    {
        // The control: without it, a misspelt type above would count as refused.
        const string program = """
            using Mangrove.Kernel; using Mangrove.Vault; using Mangrove.Vault.Identity;
            class A
            {
                async Task<long> M(Door door, Actor actor, Request request, CancellationToken cancel)
                {
                    using Opening opening = await door.Open(actor, request, cancel);
                    return opening.EntrySeq;
                }
            }
            """;
        foreach (var name in Outside)
        {
            Assert.Empty(Compiling.Errors(Compiling.Library(name, [("Program.cs", program)])));
        }
    }

    [Fact]
    public void No_public_member_of_the_vault_hands_out_a_key()
    {
        // A key is material of Sealing; the vault's public face must not mention that type in any position.
        const BindingFlags all = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var material = House.Load("Sealing").GetType("Mangrove.Sealing.KeyMaterial", throwOnError: true)!;
        House.None(
            from type in Vault.GetExportedTypes()
            from member in type.GetMembers(all)
            where IsSeen(member) && Mentioned(member).Any(found => Parts(found).Contains(material))
            select $"{type.FullName}.{member.Name}");
    }

    private static bool IsSeen(MemberInfo member) => member switch
    {
        MethodBase method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly,
        FieldInfo field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly,
        _ => false,
    };

    private static IEnumerable<Type> Mentioned(MemberInfo member) => member switch
    {
        MethodInfo method => method.GetParameters().Select(parameter => parameter.ParameterType).Append(method.ReturnType),
        ConstructorInfo constructor => constructor.GetParameters().Select(parameter => parameter.ParameterType),
        FieldInfo field => [field.FieldType],
        _ => [],
    };

    private static IEnumerable<Type> Parts(Type type) =>
        type.HasElementType ? Parts(type.GetElementType()!)
        : type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Append(type)
        : [type];
}
