namespace SoftmaxCE;

/// <summary>One string for equal texts, so that a million rows of ten classes hold ten strings.</summary>
internal sealed class SharedStrings
{
    private readonly HashSet<string> _strings = new(StringComparer.Ordinal);

    public string Of(ReadOnlySpan<char> text)
    {
        HashSet<string>.AlternateLookup<ReadOnlySpan<char>> lookup = _strings.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(text, out string? known)) return known;
        string added = text.ToString();
        _strings.Add(added);
        return added;
    }
}
