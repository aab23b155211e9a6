using System.Globalization;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;
using Mangrove.Vault;
using Mangrove.Web.Parts;

namespace Mangrove.Web.Desk;

/// <summary>How the front desk's pages say what they show.</summary>
internal static class DeskWords
{
    public static string HowFar(VisitStatus status) => status switch
    {
        VisitStatus.Arrived => "Waits for triage",
        VisitStatus.Triaged => "Waits for the doctor",
        VisitStatus.InConsultation => "With the doctor",
        VisitStatus.Consulted => "Seen by the doctor",
        _ => "Has left",
    };

    public static string Sex(AdministrativeSex sex) => sex switch
    {
        AdministrativeSex.Female => "Female",
        AdministrativeSex.Male => "Male",
        AdministrativeSex.Other => "Other",
        _ => "Not known",
    };

    /// <summary><c>F · 59 y</c>.</summary>
    public static string Short(BirthAndSex person, DateOnly today)
    {
        var sex = PersonMeta.Sex(person);
        return person.BornOn() is { } born ? $"{sex} · {Age(born, today)}" : $"{sex} · age not known";
    }

    /// <summary><c>14-Mar-1967 (59 y)</c>.</summary>
    public static string Born(BirthAndSex person, DateOnly today) => person.BornOn() is { } born ? $"{born.Display()} ({Age(born, today)})" : "not known";

    /// <summary>Years, months under two years, days under two months.</summary>
    public static string Age(PartialDate born, DateOnly today)
    {
        var days = Math.Max(0, today.DayNumber - born.Earliest.DayNumber);
        var months = ((today.Year - born.Earliest.Year) * 12) + today.Month - born.Earliest.Month - (today.Day < born.Earliest.Day ? 1 : 0);
        return born switch
        {
            { IsFull: true } when months < 2 => string.Create(CultureInfo.InvariantCulture, $"{days} d"),
            { Month: > 0 } when months < 24 => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, months)} m"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{born.AgeOn(today)} y"),
        };
    }

    /// <summary>The time alone today, with the day otherwise.</summary>
    public static string When(DateTimeOffset at, TimeZoneInfo zone, DateOnly today)
    {
        var local = TimeZoneInfo.ConvertTime(at, zone);
        return DateOnly.FromDateTime(local.DateTime) == today ? ClinicalTime.Minute(local) : $"{ClinicalTime.Day(local)} {ClinicalTime.Minute(local)}";
    }

    public static string Lasting(TimeSpan time) => time switch
    {
        { TotalMinutes: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (int)time.TotalMinutes)} min"),
        { TotalHours: < 48 } => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes:00} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalDays} days"),
    };
}
