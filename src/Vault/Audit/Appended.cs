namespace Mangrove.Vault.Audit;

/// <summary>An entry that is on the disk, in a batch whose checkpoint is signed and on the disk too.</summary>
/// <param name="Seq">Its place in the log, from 1.</param>
/// <param name="Hash">Its hash, 32 bytes.</param>
internal readonly record struct Appended(long Seq, ReadOnlyMemory<byte> Hash);
