using Mangrove.Kernel;

namespace Mangrove.Vault;

/// <summary>
/// A stored row with its sealed cells, as its table holds them: no plaintext and no more of the row than its place.
/// </summary>
/// <param name="Id">The row's id.</param>
/// <param name="PatientId">Whose it is.</param>
/// <param name="RowVersion">The version that its cells are bound to.</param>
/// <param name="Envelopes">One for each field of <see cref="Field.Of"/> for its class, in that order; null or empty where the field is absent.</param>
public sealed record StoredCells(Guid Id, PatientId PatientId, int RowVersion, byte[]?[] Envelopes);

/// <summary>
/// The tables that hold sealed rows, for work of the vault on ciphertexts alone: sealing everything anew under patients' new
/// keys. The clinic implements it; nothing is opened on its side.
/// </summary>
public interface ISealedRecords
{
    /// <summary>Every class of rows with sealed fields.</summary>
    IReadOnlyList<Type> Rows { get; }

    /// <summary>Every row of a class that is there when its turn comes, in pieces, in an order of the database's own.</summary>
    /// <param name="row">One of <see cref="Rows"/>.</param>
    /// <param name="most">Rows in a piece.</param>
    /// <param name="cancel">Gives up.</param>
    IAsyncEnumerable<IReadOnlyList<StoredCells>> Read(Type row, int most, CancellationToken cancel);

    /// <summary>
    /// Puts other envelopes in the place of those that were read, in one transaction. A row that has another version by now
    /// was sealed anew by somebody's act and is left alone.
    /// </summary>
    /// <param name="row">One of <see cref="Rows"/>.</param>
    /// <param name="cells">The rows, with all their envelopes.</param>
    /// <param name="cancel">Gives up; nothing of the piece is stored then.</param>
    /// <returns>How many rows were changed.</returns>
    Task<int> Replace(Type row, IReadOnlyList<StoredCells> cells, CancellationToken cancel);
}
