namespace ComfyAuth.DotEnv;

/// <summary>Where the parts of one entry stand in the text. For a key alone, the value is empty and directly behind the name.</summary>
internal readonly record struct EntrySpan(
    string Name, int Start, int NameStart, int NameEnd, int ValueStart, int ValueEnd, int End, bool IsBare)
{
    /// <summary>Whether the key alone ends the file with no newline; Compose v2 then overlooks it.</summary>
    public bool IsOverlooked { get; init; }
}
