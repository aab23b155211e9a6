using System.Text.Json;
using Mangrove.Kernel;
using Mangrove.Portability.Fhir.Model;

namespace Mangrove.Portability.Fhir;

/// <content>How one element is written, whatever its type.</content>
public static partial class ResourceWriter
{
    /// <summary>Leaves out what is absent: R4 knows neither null nor empty lists.</summary>
    private readonly struct ElementWriter(Utf8JsonWriter json)
    {
        public void Text(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                json.WriteString(name, value);
            }
        }

        public void Texts(string name, IReadOnlyList<string> values)
        {
            if (values.Count == 0)
            {
                return;
            }

            json.WriteStartArray(name);
            foreach (var value in values)
            {
                json.WriteStringValue(value);
            }

            json.WriteEndArray();
        }

        public void Flag(string name, bool? value)
        {
            if (value is { } flag)
            {
                json.WriteBoolean(name, flag);
            }
        }

        public void Whole(string name, int? value)
        {
            if (value is { } whole)
            {
                json.WriteNumber(name, whole);
            }
        }

        public void Decimal(string name, ExactDecimal? value)
        {
            if (value is { } exact)
            {
                json.WritePropertyName(name);
                json.WriteRawValue(exact.Text);
            }
        }

        public void One<T>(string name, T? value, Action<ElementWriter, T> write)
            where T : class
        {
            if (value is null)
            {
                return;
            }

            json.WriteStartObject(name);
            write(this, value);
            json.WriteEndObject();
        }

        public void Many<T>(string name, IReadOnlyList<T> values, Action<ElementWriter, T> write)
        {
            if (values.Count == 0)
            {
                return;
            }

            json.WriteStartArray(name);
            foreach (var value in values)
            {
                json.WriteStartObject();
                write(this, value);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        public void TimeOrPeriod(string stem, FhirDateTime? time, Period? period)
        {
            if (time is { } moment)
            {
                Text(stem + "DateTime", moment.Text);
            }
            else
            {
                One(stem + "Period", period, Period);
            }
        }

        public void Names(PersonName name)
        {
            if (name.IsEmpty)
            {
                return;
            }

            var writer = this;
            json.WriteStartArray("name");
            if (name.Family is not null || name.Given.Count > 0 || !string.IsNullOrEmpty(name.Text))
            {
                json.WriteStartObject();
                writer.Text("use", "official");
                writer.Name(name);
                json.WriteEndObject();
            }

            if (!string.IsNullOrEmpty(name.Other))
            {
                json.WriteStartObject();
                writer.Text("use", "usual");
                writer.Text("text", name.Other);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        public void Name(PersonName name)
        {
            Text("text", name.Text);
            Text("family", name.Family);
            Texts("given", name.Given);
        }

        public void Value(FhirValue? value)
        {
            switch (value)
            {
                case null:
                    break;
                case FhirValue.OfQuantity(var quantity):
                    One("valueQuantity", quantity, Quantity);
                    break;
                case FhirValue.OfConcept(var concept):
                    One("valueCodeableConcept", concept, Concept);
                    break;
                case FhirValue.OfText(var text):
                    Text("valueString", text);
                    break;
                case FhirValue.OfBoolean(var flag):
                    Flag("valueBoolean", flag);
                    break;
                case FhirValue.OfInteger(var whole):
                    Whole("valueInteger", whole);
                    break;
                case FhirValue.OfRange(var range):
                    One("valueRange", range, Range);
                    break;
                case FhirValue.OfRatio(var ratio):
                    One("valueRatio", ratio, static (w, r) =>
                    {
                        w.One("numerator", r.Numerator, Quantity);
                        w.One("denominator", r.Denominator, Quantity);
                    });
                    break;
                case FhirValue.OfSamples(var samples):
                    One("valueSampledData", samples, static (w, s) =>
                    {
                        w.One("origin", s.Origin, Quantity);
                        w.Decimal("period", s.Period);
                        w.Decimal("factor", s.Factor);
                        w.Decimal("lowerLimit", s.LowerLimit);
                        w.Decimal("upperLimit", s.UpperLimit);
                        w.Whole("dimensions", s.Dimensions);
                        w.Text("data", s.Data);
                    });
                    break;
                case FhirValue.OfTime(var time):
                    Text("valueTime", time);
                    break;
                case FhirValue.OfDateTime(var moment):
                    Text("valueDateTime", moment.Text);
                    break;
                case FhirValue.OfPeriod(var period):
                    One("valuePeriod", period, Period);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value));
            }
        }
    }
}
