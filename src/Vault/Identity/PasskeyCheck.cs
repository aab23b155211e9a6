using System.Formats.Cbor;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Mangrove.Vault.Identity;

/// <summary>
/// Asks and checks passkeys by ASP.NET Core Identity (Web Authentication, Level 3, 7.1 and 7.2). The framework sees one
/// account and its passkeys, as they were read in the caller's transaction, and writes nothing: what it found is kept by
/// <see cref="PasskeyFactors"/>. Of the request it is shown nothing, so that no header decides on host or origin.
/// </summary>
internal static class PasskeyCheck
{
    /// <summary>The longest answer of a browser that is read at all, in characters.</summary>
    public const int LongestAnswer = 16 * 1024;

    // COSE algorithms (RFC 9053, 2.1; RFC 8812, 2), in the framework's order of preference: ECDSA on P-256, of which every
    // security key is capable; on P-384; and RSA with PKCS #1 v1.5 and SHA-256, which is all that the chips of many Windows
    // machines can do. The framework has no EdDSA; of what else it would take, no authenticator needs anything.
    private const int Es256 = -7;
    private const int Es384 = -35;
    private const int Rs256 = -257;

    // COSE_Key (RFC 9052, 7; RFC 8230, 4): type 3 is RSA, and -1 its modulus.
    private const int KeyType = 1;
    private const int RsaKey = 3;
    private const int Modulus = -1;
    private const int ShortestModulus = 2048 / 8;

    /// <summary>What a browser is asked when a passkey is to be made for an account.</summary>
    public static async Task<(string Options, PasskeyChallenge Challenge)> Create(Account account, IReadOnlyList<PasskeyRow> known, PasskeySite site, TimeProvider clock)
    {
        using var users = Users(account, known);
        var entity = new PasskeyUserEntity { Id = IdOf(account), Name = account.User, DisplayName = account.DisplayName };
        var made = await Handler(users, site).MakeCreationOptionsAsync(entity, new DefaultHttpContext());
        return (made.CreationOptionsJson, new PasskeyChallenge(made.AttestationState!, site, Since.Now(clock)));
    }

    /// <summary>The passkey that a browser made; null when the answer is none to this challenge.</summary>
    public static async Task<UserPasskeyInfo?> Created(Account account, IReadOnlyList<PasskeyRow> known, PasskeyChallenge challenge, string? answer)
    {
        if (answer is not { Length: > 0 and <= LongestAnswer })
        {
            return null;
        }

        using var users = Users(account, known);
        var made = await Handler(users, challenge.Site).PerformAttestationAsync(
            new PasskeyAttestationContext { HttpContext = new DefaultHttpContext(), CredentialJson = answer, AttestationState = challenge.State });
        return made.Succeeded && made.UserEntity.Id == IdOf(account) && IsLongEnough(made.Passkey.PublicKey) ? made.Passkey : null;
    }

    /// <summary>What a browser is asked when one of the account's passkeys is to be shown.</summary>
    public static async Task<(string Options, PasskeyChallenge Challenge)> Ask(Account account, IReadOnlyList<PasskeyRow> known, PasskeySite site, TimeProvider clock)
    {
        using var users = Users(account, known);
        var made = await Handler(users, site).MakeRequestOptionsAsync(account, new DefaultHttpContext());
        return (made.RequestOptionsJson, new PasskeyChallenge(made.AssertionState!, site, Since.Now(clock)));
    }

    /// <summary>Which passkey was shown, with its new count; null when the answer is none of this account's to this challenge.</summary>
    public static async Task<UserPasskeyInfo?> Shown(Account account, IReadOnlyList<PasskeyRow> known, PasskeyChallenge challenge, string? answer)
    {
        if (answer is not { Length: > 0 and <= LongestAnswer })
        {
            return null;
        }

        using var users = Users(account, known);
        var shown = await Handler(users, challenge.Site).PerformAssertionAsync(
            new PasskeyAssertionContext { HttpContext = new DefaultHttpContext(), CredentialJson = answer, AssertionState = challenge.State });
        return shown.Succeeded && shown.User.Id == account.Id ? shown.Passkey : null;
    }

    /// <summary>Whether an RSA key has 2,048 bits or more; curves have their length by name. The framework asks for no length.</summary>
    private static bool IsLongEnough(byte[] coseKey)
    {
        var reader = new CborReader(coseKey, CborConformanceMode.Lax);
        if (reader.ReadStartMap() is not { } labels)
        {
            return false;
        }

        var (type, modulus) = (0, 0);
        for (var left = labels; left > 0; left--)
        {
            switch (reader.ReadInt32())
            {
                case KeyType:
                    type = reader.ReadInt32();
                    break;
                case Modulus when reader.PeekState() == CborReaderState.ByteString:
                    // A zero in front makes a number no longer.
                    modulus = reader.ReadByteString().AsSpan().TrimStart((byte)0).Length;
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        return type != RsaKey || modulus >= ShortestModulus;
    }

    /// <summary>The handle of the person in an authenticator: random, and nothing about them.</summary>
    private static string IdOf(Account account) => account.Id.ToString("N");

    private static PasskeyHandler<Account> Handler(UserManager<Account> users, PasskeySite site) => new(users, Options.Create(new IdentityPasskeyOptions
    {
        ServerDomain = site.Name,
        ChallengeSize = 32,
        AuthenticatorTimeout = PasskeyChallenge.Life,
        UserVerificationRequirement = "required",
        ResidentKeyRequirement = "preferred",

        // Which make of key somebody uses is not asked: an answer would be checked against a list that nobody keeps offline.
        AttestationConveyancePreference = "none",
        IsAllowedAlgorithm = algorithm => algorithm is Es256 or Es384 or Rs256,
        ValidateOrigin = context => ValueTask.FromResult(context.Origin == site.Origin && !context.CrossOrigin && context.TopOrigin is null),
    }));

    // Passkeys touch neither passwords nor validators nor normalised names, so there are none.
    private static UserManager<Account> Users(Account account, IReadOnlyList<PasskeyRow> known) => new(
        new KnownPasskeys(account, known),
        Options.Create(new Microsoft.AspNetCore.Identity.IdentityOptions()),
        null!,
        [],
        [],
        null!,
        new IdentityErrorDescriber(),
        null!,
        NullLogger<UserManager<Account>>.Instance);

    /// <summary>One account and its passkeys, as the framework reads them. It changes nothing here: accounts are changed by the acts of this room alone.</summary>
    private sealed class KnownPasskeys(Account account, IReadOnlyList<PasskeyRow> known) : IUserPasskeyStore<Account>
    {
        public Task<string> GetUserIdAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(IdOf(user));

        public Task<string?> GetUserNameAsync(Account user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.User);

        public Task<string?> GetNormalizedUserNameAsync(Account user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.User.ToUpperInvariant());

        public Task<Account?> FindByIdAsync(string userId, CancellationToken cancellationToken) => Task.FromResult(userId == IdOf(account) ? account : null);

        public Task<Account?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) =>
            Task.FromResult(string.Equals(normalizedUserName, account.User, StringComparison.OrdinalIgnoreCase) ? account : null);

        public Task<IList<UserPasskeyInfo>> GetPasskeysAsync(Account user, CancellationToken cancellationToken) =>
            Task.FromResult<IList<UserPasskeyInfo>>(user.Id == account.Id ? [.. known.Select(Info)] : []);

        public Task<UserPasskeyInfo?> FindPasskeyAsync(Account user, byte[] credentialId, CancellationToken cancellationToken) =>
            Task.FromResult(user.Id == account.Id && Find(credentialId) is { } row ? Info(row) : null);

        public Task<Account?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
            Task.FromResult(Find(credentialId) is null ? null : account);

        public Task AddOrUpdatePasskeyAsync(Account user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw ReadOnly();

        public Task RemovePasskeyAsync(Account user, byte[] credentialId, CancellationToken cancellationToken) => throw ReadOnly();

        public Task SetUserNameAsync(Account user, string? userName, CancellationToken cancellationToken) => throw ReadOnly();

        public Task SetNormalizedUserNameAsync(Account user, string? normalizedName, CancellationToken cancellationToken) => throw ReadOnly();

        public Task<IdentityResult> CreateAsync(Account user, CancellationToken cancellationToken) => throw ReadOnly();

        public Task<IdentityResult> UpdateAsync(Account user, CancellationToken cancellationToken) => throw ReadOnly();

        public Task<IdentityResult> DeleteAsync(Account user, CancellationToken cancellationToken) => throw ReadOnly();

        public void Dispose()
        {
            // Holds nothing: the rows were read before.
        }

        private static NotSupportedException ReadOnly() => new("Accounts are not changed through the framework's store.");

        private static UserPasskeyInfo Info(PasskeyRow row) => new(
            row.Credential,
            row.PublicKey,
            row.Created,
            (uint)row.SignCount,
            [.. row.Transports],
            row.Verified,
            row.BackupEligible,
            row.BackedUp,
            attestationObject: [],
            clientDataJson: [])
        { Name = row.Name };

        private PasskeyRow? Find(byte[] credential) => known.FirstOrDefault(row => row.Credential.AsSpan().SequenceEqual(credential));
    }
}
