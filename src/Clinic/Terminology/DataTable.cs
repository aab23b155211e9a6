using System.Reflection;
using System.Text;

namespace Mangrove.Clinic.Terminology;

/// <summary>
/// A table shipped inside the assembly: comment lines with its source and the line that the hospital must review it,
/// others with two signs for whoever edits it, one line of column names, then rows. Columns are separated by <c>|</c>. A row of the wrong width is a bug of the
/// build, not of the hospital, and throws.
/// </summary>
internal sealed class DataTable
{
    private readonly Dictionary<string, int> columns;

    private DataTable(string file, string sourceNote, Dictionary<string, int> columns, List<string[]> rows)
    {
        File = file;
        SourceNote = sourceNote;
        this.columns = columns;
        Rows = rows.ConvertAll(cells => new DataRow(this, cells));
    }

    public string File { get; }

    /// <summary>The comment lines, for the screen that shows where a table came from and who must review it.</summary>
    public string SourceNote { get; }

    public IReadOnlyList<DataRow> Rows { get; }

    public static DataTable Read(string file)
    {
        var assembly = Assembly.GetExecutingAssembly();
        using var stream = assembly.GetManifestResourceStream("Mangrove.Clinic.Terminology.Data." + file)
            ?? throw new InvalidOperationException($"The table {file} is not inside the assembly.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var note = new List<string>();
        Dictionary<string, int>? header = null;
        var rows = new List<string[]>();
        for (var line = reader.ReadLine(); line is not null; line = reader.ReadLine())
        {
            if (line.StartsWith("##", StringComparison.Ordinal))
            {
                continue;
            }

            if (line.StartsWith('#'))
            {
                note.Add(line.TrimStart('#').Trim());
            }
            else if (header is null)
            {
                header = line.Split('|').Select((name, at) => (name, at)).ToDictionary(pair => pair.name, pair => pair.at, StringComparer.Ordinal);
            }
            else if (line.Length != 0)
            {
                var cells = line.Split('|');
                rows.Add(cells.Length == header.Count
                    ? cells
                    : throw new InvalidOperationException($"{file}: the row \"{cells[0]}\" has {cells.Length} cells, not {header.Count}."));
            }
        }

        return new DataTable(file, string.Join(' ', note), header ?? throw new InvalidOperationException($"{file} has no header."), rows);
    }

    internal int Column(string name) => columns[name];
}

/// <summary>One row, read by the names of its columns.</summary>
internal sealed class DataRow(DataTable table, string[] cells)
{
    public string this[string column] => cells[table.Column(column)].Trim();

    public string[] List(string column, char separator) =>
        this[column].Split(separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public InvalidOperationException Wrong(string why) => new($"{table.File}: the row \"{cells[0]}\": {why}");
}
