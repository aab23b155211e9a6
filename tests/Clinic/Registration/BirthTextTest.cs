using Mangrove.Clinic.Registration;

namespace Mangrove.Tests.Clinic.Registration;

public sealed class BirthTextTest
{
    private static readonly DateOnly Today = new(2026, 11, 23);

    [Theory]
    [InlineData("14-Mar-1967", null, "1967-03-14")]
    [InlineData("14 mar 1967", null, "1967-03-14")]
    [InlineData("1967-03-14", null, "1967-03-14")]
    [InlineData("Mar-1967", null, "1967-03")]
    [InlineData("march 1967", null, "1967-03")]
    [InlineData("1967", null, "1967")]
    [InlineData("est. 1967", null, "~1967")]
    [InlineData("~1967", null, "~1967")]
    [InlineData("59 y", null, "~1967")]
    [InlineData(null, "59", "~1967")]
    [InlineData("", "59y", "~1967")]
    [InlineData(null, "7 m", "~2026-04")]
    [InlineData(null, "2 w", "~2026-11-09")]
    [InlineData(null, "10 d", "~2026-11-13")]
    [InlineData("Mar-1967", "59 y", "1967-03")]
    public void A_date_or_age_is_kept_as_far_as_it_is_known(string? born, string? age, string expected) =>
        Assert.Equal(expected, BirthText.Read(born, age, Today).Value?.ToString());

    [Fact]
    public void Nothing_typed_is_nothing_known() => Assert.Null(BirthText.Read(" ", null, Today).Value);

    [Theory]
    [InlineData("03/04/1967", null, "registration.birth-date")]
    [InlineData("31-Feb-1967", null, "registration.birth-date")]
    [InlineData("soon", null, "registration.birth-date")]
    [InlineData(null, "131 y", "registration.birth-date")]
    [InlineData("1967", "12 y", "registration.age-differs")]
    public void What_cannot_be_read_is_refused_by_code(string? born, string? age, string code) =>
        Assert.Equal(code, BirthText.Read(born, age, Today).Error?.Code);
}
