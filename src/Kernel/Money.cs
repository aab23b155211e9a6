using System.Globalization;

namespace Mangrove.Kernel;

/// <summary>An exact amount in one currency (ISO 4217 code). Never a float; amounts of two currencies do not add.</summary>
public readonly record struct Money(decimal Amount, string Currency) : IComparable<Money>
{
    public static Money Zero(string currency) => new(0m, currency);

    public static Money operator +(Money left, Money right) => new(left.Amount + right.Same(left).Amount, left.Currency);

    public static Money operator -(Money left, Money right) => new(left.Amount - right.Same(left).Amount, left.Currency);

    public static Money operator *(Money price, decimal quantity) => new(decimal.Round(price.Amount * quantity, 2, MidpointRounding.ToEven), price.Currency);

    public static bool operator <(Money left, Money right) => left.CompareTo(right) < 0;

    public static bool operator >(Money left, Money right) => left.CompareTo(right) > 0;

    public static bool operator <=(Money left, Money right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Money left, Money right) => left.CompareTo(right) >= 0;

    public static Money Add(Money left, Money right) => left + right;

    public static Money Subtract(Money left, Money right) => left - right;

    public static Money Multiply(Money price, decimal quantity) => price * quantity;

    public int CompareTo(Money other) => Amount.CompareTo(other.Same(this).Amount);

    /// <summary>Two decimals with thousands separators: <c>1,034.00</c>.</summary>
    public string Figure() => Amount.ToString("#,##0.00", CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override string ToString() => $"{Currency} {Figure()}";

    private Money Same(Money other) => Currency == other.Currency
        ? this
        : throw new InvalidOperationException("Amounts of different currencies cannot be combined.");
}
