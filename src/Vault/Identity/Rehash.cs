namespace Mangrove.Vault.Identity;

/// <summary>Hashes a password or PIN anew while it is at hand, after a match under another cost or an older pepper.</summary>
internal static class Rehash
{
    public const string Password = "UPDATE account SET hash = @new WHERE id = @id AND hash = @old";
    public const string Pin = "UPDATE pin SET hash = @new WHERE account = @id AND hash = @old";

    /// <summary>Stores the new hash, unless another one came between; gives the hash that the account has then, as far as this caller knows.</summary>
    /// <param name="store">Of Identity.</param>
    /// <param name="place">The caller's place at the hasher.</param>
    /// <param name="kind"><see cref="Password"/> or <see cref="Pin"/>.</param>
    /// <param name="account">Whose.</param>
    /// <param name="secret">What was typed and matched.</param>
    /// <param name="old">The hash that it matched.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<string> Keep(Store store, PasswordGate.Place place, string kind, Guid account, string secret, string old, CancellationToken cancel)
    {
        var hash = await place.Hash(secret, cancel);
        await using var connection = await store.Open(cancel);
        return await connection.Run(kind, cancel, ("@new", hash), ("@id", account), ("@old", old)) == 1 ? hash : old;
    }
}
