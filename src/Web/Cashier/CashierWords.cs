using System.Globalization;
using Mangrove.Clinic.Records;
using Mangrove.Kernel;

namespace Mangrove.Web.Cashier;

/// <summary>How the cashier's pages say what they show.</summary>
internal static class CashierWords
{
    public static string Means(PaymentMeans means) => means switch
    {
        PaymentMeans.Cash => "Cash",
        PaymentMeans.Mobile => "Mobile money",
        PaymentMeans.Card => "Card",
        _ => "Account",
    };

    public static string Icon(PaymentMeans means) => means switch
    {
        PaymentMeans.Cash => "cash",
        PaymentMeans.Mobile => "device-mobile",
        PaymentMeans.Card => "credit-card",
        _ => "building-bank",
    };

    /// <summary><c>Pwani Mutual, 80 % of 5,670.00</c>.</summary>
    public static string Share(PayerDetails payer, Money total) => $"{payer.Name}, {Percent(payer.SharePercent)} of {total.Figure()}";

    public static string Percent(decimal share) => share.ToString("0.##", CultureInfo.InvariantCulture) + " %";

    public static string Quantity(decimal quantity) => quantity.ToString("#,##0.###", CultureInfo.InvariantCulture);

    /// <summary>With a true minus sign, as amounts are read.</summary>
    public static string Less(Money amount) => $"−{amount.Figure()}";
}
