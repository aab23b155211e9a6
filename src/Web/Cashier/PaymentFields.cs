using System.Globalization;
using Mangrove.Clinic.Billing;
using Mangrove.Clinic.Records;
using Microsoft.AspNetCore.Http;

namespace Mangrove.Web.Cashier;

/// <summary>The payment form as it was typed.</summary>
public sealed record PaymentFields
{
    public PaymentMeans Means { get; init; } = PaymentMeans.Cash;

    public string Received { get; init; } = "";

    /// <summary>Part payment; empty for the whole.</summary>
    public string Amount { get; init; } = "";

    public string Reference { get; init; } = "";

    /// <summary>What the form showed as left.</summary>
    public decimal Left { get; init; }

    public static PaymentFields From(IFormCollection form) => new()
    {
        Means = Enum.TryParse<PaymentMeans>(form["means"], out var means) && Enum.IsDefined(means) ? means : PaymentMeans.Cash,
        Received = form["received"].ToString(),
        Amount = form["amount"].ToString(),
        Reference = form["reference"].ToString(),
        Left = decimal.TryParse(form["left"], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var left) ? left : 0m,
    };

    /// <summary>Reads the amounts: an empty part is the whole, and nothing received is exactly what is taken.</summary>
    public (decimal Take, decimal Received, Dictionary<string, string> Wrong) Read()
    {
        var wrong = new Dictionary<string, string>(StringComparer.Ordinal);
        var take = Left;
        if (!string.IsNullOrWhiteSpace(Amount))
        {
            if (AmountText.Read(Amount) is { } part and > 0m)
            {
                take = part;
            }
            else
            {
                wrong["amount"] = "Write the amount as 1,200.00, above zero.";
            }
        }

        var received = take;
        if (!string.IsNullOrWhiteSpace(Received))
        {
            if (AmountText.Read(Received) is { } typed)
            {
                received = typed;
            }
            else
            {
                wrong["received"] = "Write the amount as 1,200.00.";
            }
        }

        if (wrong.Count == 0 && take > Left)
        {
            wrong["amount"] = "This is more than is left to pay.";
        }
        else if (wrong.Count == 0 && received < take)
        {
            wrong["received"] = "Less was received than is taken. Take a part payment instead.";
        }
        else if (wrong.Count == 0 && Means != PaymentMeans.Cash && received != take)
        {
            wrong["received"] = "Change is given for cash only. Enter what is taken.";
        }

        return (take, received, wrong);
    }

    /// <summary>Nothing: PHI never reaches a log by accident.</summary>
    public override string ToString() => nameof(PaymentFields);
}
