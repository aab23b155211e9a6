namespace Mangrove.Vault.Destruction;

/// <summary>What software cannot promise, as a certificate says it.</summary>
internal static class DestructionLimits
{
    public static IReadOnlyList<string> Of(DestructionFacts facts, StorageKind kind)
    {
        var limits = new List<string>
        {
            "Flash memory and file systems may keep overwritten blocks. What they keep of keys is wrapped by versions of keys that this hospital has destroyed.",
            facts.RootRotated
                ? "The root key was changed with this destruction: copies of keys.db of before open only with a copy of root.json of before and what opened that."
                : "The root key was not changed with this destruction: whoever kept a copy of keys.db of before, and can open the root key of today, can open what that copy has. Change it (mangrove keys rotate root).",
            "Copies of key bundles that somebody made outside of Mangrove before today open with the passphrase, key file or recovery sheets of their time. Destroy such copies.",
            "Words of emergency accesses in archives of backups of before are sealed under a key that stays; they go when the backups do.",
            "Read-only copies on other machines hold the records until they change over to a backup that is made after this destruction.",
            "The audit log keeps the numbers of the records and what was done with them, without their content.",
            "What was exported, printed or sent before is not reached.",
        };
        if (kind == StorageKind.Postgres)
        {
            limits.Add("PostgreSQL keeps old pages in its write-ahead log, replicas and base backups until it recycles them; what they have of keys is wrapped by versions that are destroyed.");
        }

        if (facts.Outstanding.Count > 0)
        {
            limits.Add("Targets of backups are outstanding. Until they are connected and rewritten, the keys that open their bundles are kept.");
        }

        if (facts.Unreached.Count > 0)
        {
            limits.Add("Places where backups once went could not be reached and are not waited for. Their key bundles open with the passphrase, key file or sheets of their time.");
        }

        if (facts.Unopened.Count > 0)
        {
            limits.Add("Some key bundles do not open with the keys of this hospital and could not be rewritten. Remove those backups.");
        }

        return limits;
    }
}
