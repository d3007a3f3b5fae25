using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace ComfyAuth.Notebooks;

/// <summary>Holds one notebook against format 4 of nbformat (its JSON schemas), token by token.</summary>
internal sealed class NotebookStructure
{
    private const int MostFaults = 5;
    private const int FormatWithIds = 5;

    private static readonly SearchValues<byte> IdCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"u8);

    private readonly List<string> _faults = [];
    private bool _isObject = true;
    private Part _part;
    private Field _field;
    private Fields _seen;
    private int _cell;
    private bool _isInCells;
    private bool _isCode;
    private bool _isOutputTyped;
    private bool _hasCells;
    private bool _hasMetadata;
    private int? _format;
    private int? _minor;
    private int _cellsWithoutId;

    private enum Part
    {
        Other,
        Cells,
        Metadata,
        Format,
        Minor,
    }

    private enum Field
    {
        Other,
        Type,
        Metadata,
        Source,
        Outputs,
        ExecutionCount,
        Id,
    }

    [Flags]
    private enum Fields
    {
        None = 0,
        Type = 1,
        Metadata = 2,
        Source = 4,
        Outputs = 8,
        ExecutionCount = 16,
        Id = 32,
    }

    /// <summary>Where the reading is, as a person would say it; null outside of the cells.</summary>
    public string? Place => !_isInCells || _cell == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"cell {_cell}{_field switch
    {
        Field.Source => ", source,",
        Field.Outputs => ", output,",
        Field.Metadata => ", metadata,",
        _ => "",
    }}");

    /// <summary>Takes the next token.</summary>
    public void Take(ref Utf8JsonReader reader)
    {
        switch (reader.CurrentDepth)
        {
            case 0:
                _isObject &= reader.TokenType is JsonTokenType.StartObject or JsonTokenType.EndObject;
                break;
            case 1:
                TakeTop(ref reader);
                break;
            case 2 when _isInCells:
                TakeCell(reader.TokenType);
                break;
            case 3 when _isInCells:
                TakeField(ref reader);
                break;
            case 4 when _isInCells && _field is Field.Source or Field.Outputs:
                TakeItem(reader.TokenType);
                break;
            case 5 when _isInCells && _field == Field.Outputs && reader.TokenType == JsonTokenType.PropertyName:
                _isOutputTyped |= reader.ValueTextEquals("output_type"u8);
                break;
        }
    }

    /// <summary>What is wrong, once the whole is read.</summary>
    public IEnumerable<(NotebookFaultKind Kind, string What)> Faults()
    {
        if (!_isObject)
            return [(NotebookFaultKind.Format, "its top is no object")];

        // An older or newer format has other parts, so that nothing else can be said.
        if (_format is { } format and not 4)
        {
            return [(NotebookFaultKind.Format, format < 4
                ? $"is of format {format}; 'jupyter nbconvert --to notebook --nbformat 4' makes it one of format 4"
                : $"is of format {format}, which is not known")];
        }

        var faults = _faults.ToList();
        if (_format is null)
            faults.Insert(0, "has no 'nbformat'");
        if (_minor is null)
            faults.Insert(0, "has no 'nbformat_minor'");
        if (!_hasMetadata)
            faults.Insert(0, "has no 'metadata'");
        if (!_hasCells)
            faults.Insert(0, "has no 'cells'");
        var all = faults.Take(MostFaults).Select(fault => (NotebookFaultKind.Format, fault));
        return _minor >= FormatWithIds && _cellsWithoutId > 0
            ? all.Append((NotebookFaultKind.FormatNote, $"{_cellsWithoutId} of {_cell} cells have no 'id', which format 4.5 asks for"))
            : all;
    }

    private void TakeTop(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.PropertyName)
        {
            _part = reader.ValueTextEquals("cells"u8) ? Part.Cells
                : reader.ValueTextEquals("metadata"u8) ? Part.Metadata
                : reader.ValueTextEquals("nbformat"u8) ? Part.Format
                : reader.ValueTextEquals("nbformat_minor"u8) ? Part.Minor
                : Part.Other;
            return;
        }

        switch (_part)
        {
            case Part.Cells:
                _hasCells = true;
                _isInCells = reader.TokenType == JsonTokenType.StartArray;
                if (reader.TokenType is not (JsonTokenType.StartArray or JsonTokenType.EndArray or JsonTokenType.EndObject))
                    Fault("'cells' is no list");
                break;
            case Part.Metadata:
                _hasMetadata = true;
                if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.EndObject))
                    Fault("'metadata' is no object");
                break;
            case Part.Format:
                _format = Number(ref reader);
                if (_format is null)
                    Fault("'nbformat' is no whole number");
                break;
            case Part.Minor:
                _minor = Number(ref reader);
                if (_minor is null or < 0)
                    Fault("'nbformat_minor' is no whole number");
                break;
        }
    }

    private static int? Number(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var number) ? number : null;

    private void TakeCell(JsonTokenType token)
    {
        switch (token)
        {
            case JsonTokenType.StartObject:
                _cell++;
                _seen = Fields.None;
                _field = Field.Other;
                _isCode = false;
                break;
            case JsonTokenType.EndObject:
                EndCell();
                break;
            case JsonTokenType.EndArray:
                break;
            default:
                _cell++;
                CellFault("is no object");
                break;
        }
    }

    private void EndCell()
    {
        _field = Field.Other;
        var wanted = Fields.Type | Fields.Metadata | Fields.Source | (_isCode ? Fields.Outputs | Fields.ExecutionCount : Fields.None);
        if ((wanted & ~_seen) != Fields.None)
        {
            foreach (var (field, name) in new[] { (Fields.Type, "cell_type"), (Fields.Metadata, "metadata"), (Fields.Source, "source"), (Fields.Outputs, "outputs"), (Fields.ExecutionCount, "execution_count") })
            {
                if (wanted.HasFlag(field) && !_seen.HasFlag(field))
                    CellFault($"has no '{name}'");
            }
        }

        if (!_seen.HasFlag(Fields.Id))
            _cellsWithoutId++;
    }

    private void TakeField(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                (_field, var seen) = Named(ref reader);
                _seen |= seen;
                break;
            case JsonTokenType.EndArray or JsonTokenType.EndObject:
                break;
            default:
                if (!IsRight(ref reader))
                    CellFault($"has a '{NameOf(_field)}' of the wrong kind");
                break;
        }
    }

    private static (Field Field, Fields Seen) Named(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("cell_type"u8) ? (Field.Type, Fields.Type)
        : reader.ValueTextEquals("metadata"u8) ? (Field.Metadata, Fields.Metadata)
        : reader.ValueTextEquals("source"u8) ? (Field.Source, Fields.Source)
        : reader.ValueTextEquals("outputs"u8) ? (Field.Outputs, Fields.Outputs)
        : reader.ValueTextEquals("execution_count"u8) ? (Field.ExecutionCount, Fields.ExecutionCount)
        : reader.ValueTextEquals("id"u8) ? (Field.Id, Fields.Id)
        : (Field.Other, Fields.None);

    private static string NameOf(Field field) => field switch
    {
        Field.Type => "cell_type",
        Field.ExecutionCount => "execution_count",
        _ => field.ToString().ToLowerInvariant(),
    };

    private bool IsRight(ref Utf8JsonReader reader)
    {
        switch (_field)
        {
            case Field.Type:
                _isCode = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("code"u8);
                return _isCode || (reader.TokenType == JsonTokenType.String && (reader.ValueTextEquals("markdown"u8) || reader.ValueTextEquals("raw"u8)));
            case Field.Metadata:
                return reader.TokenType == JsonTokenType.StartObject;
            case Field.Source:
                return reader.TokenType is JsonTokenType.String or JsonTokenType.StartArray;
            case Field.Outputs:
                return reader.TokenType == JsonTokenType.StartArray;
            case Field.ExecutionCount:
                return reader.TokenType == JsonTokenType.Null || Number(ref reader) is >= 0;
            case Field.Id:
                const int longestId = 64;
                return reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length is > 0 and <= longestId
                    && reader.ValueSpan.IndexOfAnyExcept(IdCharacters) < 0;
            default:
                return true;
        }
    }

    private void TakeItem(JsonTokenType token)
    {
        if (_field == Field.Source)
        {
            if (token != JsonTokenType.String)
                CellFault("has a 'source' of something else than text");
            return;
        }

        switch (token)
        {
            case JsonTokenType.StartObject:
                _isOutputTyped = false;
                break;
            case JsonTokenType.EndObject:
                if (!_isOutputTyped)
                    CellFault("has an output without 'output_type'");
                break;
            default:
                CellFault("has an output that is no object");
                break;
        }
    }

    private void CellFault(string what) => Fault(string.Create(CultureInfo.InvariantCulture, $"cell {_cell} {what}"));

    private void Fault(string what)
    {
        if (_faults.Count < MostFaults)
            _faults.Add(what);
    }
}
