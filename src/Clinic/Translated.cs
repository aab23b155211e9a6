using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Mangrove.Clinic;

/// <summary>
/// A query of the pages that everybody waits for, translated once for each database and not at each run.
/// </summary>
/// <param name="translate">One of the <c>EF.CompileAsyncQuery</c> calls.</param>
public sealed class Translated<TQuery>(Func<TQuery> translate)
    where TQuery : class
{
    private readonly ConditionalWeakTable<IModel, TQuery> byModel = [];

    public TQuery On(ClinicContext clinic) => byModel.GetValue(clinic.Model, _ => translate());
}
