using System.Reflection;
using Mangrove.Kernel;

namespace Mangrove.Tests.Architecture;

/// <summary>
/// What a row of the clinic may hold in the clear: ids, enums, numbers, truth values, dates and times. Everything else is
/// sealed, or says in its declaration why it may be public.
/// </summary>
public class EntityTests
{
    private static readonly Type[] Clear =
    [
        typeof(Guid), typeof(PatientId), typeof(StaffId), typeof(bool),
        typeof(byte), typeof(short), typeof(int), typeof(long), typeof(decimal), typeof(double), typeof(float),
        typeof(DateOnly), typeof(TimeOnly), typeof(DateTimeOffset), typeof(TimeSpan),
    ];

    [Fact]
    public void The_clinic_stores_in_the_clear_only_what_says_nothing_about_a_person()
    {
        var entities = Entities();
        House.None(entities.SelectMany(entity => Offences(entity, entities)));
    }

    [Fact]
    public void Every_row_with_sealed_fields_belongs_to_a_patient_and_to_the_door()
    {
        var row = SealedRow();
        House.None(Entities()
            .Where(entity => Stored(entity).Any(property => IsSealed(property.PropertyType)) && !row.IsAssignableFrom(entity))
            .Select(entity => $"{entity.FullName} holds sealed fields and is no {row.Name}"));
    }

    [Fact]
    public void A_row_that_holds_text_in_the_clear_is_found()
    {
        Assert.Equal(
            [$"{typeof(Leaky).FullName}.Diagnosis is String", $"{typeof(Leaky).FullName}.Excused gives no reason", $"{typeof(Leaky).FullName}.Photo is Byte[]"],
            Offences(typeof(Leaky), new HashSet<Type> { typeof(Leaky) }).Order(StringComparer.Ordinal));
    }

    /// <summary>Every type the context stores: its sets, all rows that hold sealed fields, and what they own.</summary>
    private static HashSet<Type> Entities()
    {
        var clinic = House.Load("Clinic");
        var context = clinic.GetType("Mangrove.Clinic.ClinicContext") ?? clinic.GetType("Mangrove.Clinic.Records.ClinicContext");
        Assert.True(context is not null, "Mangrove.Clinic.ClinicContext was not found.");
        var row = SealedRow();
        var entities = context!.GetProperties()
            .Where(property => property.PropertyType is { IsGenericType: true } type && type.Name == "DbSet`1")
            .Select(property => property.PropertyType.GetGenericArguments()[0])
            .Concat(clinic.GetTypes().Where(type => row.IsAssignableFrom(type) && type is { IsInterface: false, IsAbstract: false }))
            .ToHashSet();
        Assert.True(entities.Count >= 5, $"Only {entities.Count} entities were found; is this still where they are?");
        return entities;
    }

    private static Type SealedRow() => House.Load("Vault").GetType("Mangrove.Vault.ISealedRow", throwOnError: true)!;

    private static IEnumerable<string> Offences(Type entity, IReadOnlySet<Type> entities)
    {
        foreach (var property in Stored(entity))
        {
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (property.GetCustomAttribute<PublicAttribute>() is { } excuse)
            {
                if (string.IsNullOrWhiteSpace(excuse.Reason))
                {
                    yield return $"{entity.FullName}.{property.Name} gives no reason";
                }
            }
            else if (!type.IsEnum && !Clear.Contains(type) && !IsSealed(type) && !IsRelation(type, entities))
            {
                yield return $"{entity.FullName}.{property.Name} is {type.Name}";
            }
        }
    }

    private static IEnumerable<PropertyInfo> Stored(Type entity) =>
        entity.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(property => property.GetIndexParameters().Length == 0 && property.GetCustomAttributes()
                .All(attribute => attribute.GetType().Name != "NotMappedAttribute"))
            .Where(property => property.SetMethod is not null || IsSealed(property.PropertyType));

    private static bool IsSealed(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is { IsGenericType: true } generic && generic.GetGenericTypeDefinition() == typeof(Sealed<>);

    private static bool IsRelation(Type type, IReadOnlySet<Type> entities) =>
        entities.Contains(type) || (type.IsGenericType && type.GetGenericArguments() is [var element] && entities.Contains(element));

    private sealed class Leaky
    {
        public Guid Id { get; set; }

        public Sealed<string> Note { get; set; }

        public DateOnly? Day { get; set; }

        [Public("the code of a public price list")]
        public string Code { get; set; } = "";

        [Public(" ")]
        public string Excused { get; set; } = "";

        public string Diagnosis { get; set; } = "";

        public byte[] Photo { get; set; } = [];
    }
}
