using System.Globalization;

namespace Mangrove.Vault.Storage;

/// <summary>SQLite refused a call. Carries SQLite's own result code; the text never contains row values.</summary>
internal sealed class SqliteFault(int code, string message)
    : IOException(string.Create(CultureInfo.InvariantCulture, $"SQLite {code}: {message}"))
{
    /// <summary>The extended result code, https://www.sqlite.org/rescode.html.</summary>
    public int Code { get; } = code;

    /// <summary>The primary result code: the low eight bits.</summary>
    public int Primary => Code & 0xff;
}
