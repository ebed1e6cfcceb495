namespace SoftmaxCE.Tests;

/// <summary>An example of a Markdown text: its C# code, and the output printed below it if the next block is a text block.</summary>
public sealed record CodeExample(int Line, string Code, string? Output);

/// <summary>Finds examples in Markdown and their compiled counterparts in source regions, both as plain lines without indentation.</summary>
public static class CodeBlocks
{
    private const string Fence = "```";
    private const string RegionStart = "#region README ";
    private const string RegionEnd = "#endregion";

    /// <summary>The C# blocks of a Markdown text. Leading using directives of the library are left out: a region inside a method has none.</summary>
    public static IReadOnlyList<CodeExample> InMarkdown(string markdown)
    {
        List<(int Line, string Language, string Text)> blocks = [];
        string[] lines = Lines(markdown);
        for (int i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith(Fence, StringComparison.Ordinal)) continue;
            int end = Array.FindIndex(lines, i + 1, line => line.StartsWith(Fence, StringComparison.Ordinal));
            if (end < 0) throw new InvalidDataException($"The block that starts in line {i + 1} does not end.");
            blocks.Add((i + 1, lines[i][Fence.Length..].Trim(), Dedent(lines[(i + 1)..end])));
            i = end;
        }

        return [.. blocks.Select((block, i) => (Block: block, Next: i + 1 < blocks.Count ? blocks[i + 1] : default))
            .Where(pair => pair.Block.Language == "csharp")
            .Select(pair => new CodeExample(pair.Block.Line, WithoutUsings(pair.Block.Text), pair.Next.Language == "text" ? pair.Next.Text : null))];
    }

    /// <summary>The text of every <c>#region README name</c> of a source file, by name.</summary>
    public static IReadOnlyDictionary<string, string> InSource(string source)
    {
        Dictionary<string, string> regions = new(StringComparer.OrdinalIgnoreCase);
        string[] lines = Lines(source);
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (!line.StartsWith(RegionStart, StringComparison.Ordinal)) continue;
            int end = Array.FindIndex(lines, i + 1, text => text.Trim() == RegionEnd);
            regions.Add(line[RegionStart.Length..].Trim(), Dedent(lines[(i + 1)..end]));
            i = end;
        }

        return regions;
    }

    /// <summary>Lines without what cannot be seen: line ends of another system, spaces at the end, empty lines around.</summary>
    public static string Visible(string text) => Dedent(Lines(text));

    private static string[] Lines(string text) => text.ReplaceLineEndings("\n").Split('\n');

    private static string WithoutUsings(string code) =>
        Visible(string.Join('\n', code.Split('\n').SkipWhile(line => line.Length == 0 || line.StartsWith("using SoftmaxCE", StringComparison.Ordinal))));

    private static string Dedent(string[] lines)
    {
        string[] trimmed = Array.ConvertAll(lines, line => line.TrimEnd());
        int indentation = trimmed.Where(line => line.Length > 0).Select(line => line.Length - line.TrimStart().Length).DefaultIfEmpty(0).Min();
        return string.Join('\n', trimmed.Select(line => line.Length > indentation ? line[indentation..] : "")).Trim('\n');
    }
}
