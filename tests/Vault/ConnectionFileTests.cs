using Mangrove.Vault;

namespace Mangrove.Tests.Vault;

public sealed class ConnectionFileTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("mangrove-connections-");

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData("Host=/var/run/postgresql", null)]
    [InlineData("Host=localhost", null)]
    [InlineData("Host=127.0.0.1:5433", null)]
    [InlineData("Host=[::1]:5433", null)]
    [InlineData("Host=::1", null)]
    [InlineData("Host=db.hospital.test;SSL Mode=VerifyFull", null)]
    [InlineData("Host=db.hospital.test", "storage.connection-open")]
    [InlineData("Host=db.hospital.test;SSL Mode=Require", "storage.connection-open")]
    [InlineData("Host=db.hospital.test;SSL Mode=VerifyCA", "storage.connection-open")]
    [InlineData("Host=localhost,db.hospital.test", "storage.connection-open")]
    [InlineData("Host=10.0.0.5", "storage.connection-open")]
    [InlineData("Host=localhost.hospital.test", "storage.connection-open")]
    [InlineData("Nonsense=1", "storage.connection-file-bad")]
    public void What_leaves_the_machine_is_encrypted_and_checks_the_other_side(string keys, string? refusal)
    {
        var file = Path.Combine(folder.FullName, "connections");
        File.WriteAllLines(file, ["# five roles", "clinic=Host=localhost", "vault=Host=localhost", "audit=Host=localhost", "keys=" + keys]);

        Assert.Equal(refusal, StorageOptions.Postgres(folder.FullName, file).Error?.Code);
    }
}
