using System.Globalization;
using System.Net;
using System.Text;

namespace SoftmaxCE;

/// <summary>
/// Writes HTML and SVG that is well-formed XML too. All text and attribute values are encoded here and all numbers are written in the
/// invariant culture, so that no caller can forget it.
/// </summary>
internal sealed class Markup
{
    private readonly StringBuilder _text = new();
    private readonly Stack<string> _open = new();

    /// <summary>Opens an element.</summary>
    public Markup Open(string element, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        Start(element, attributes);
        _text.Append('>');
        _open.Push(element);
        return this;
    }

    /// <summary>Closes the element opened last.</summary>
    public Markup Close()
    {
        _text.Append("</").Append(_open.Pop()).Append(">\n");
        return this;
    }

    /// <summary>An element with text and nothing else in it.</summary>
    public Markup Element(string element, string text, params ReadOnlySpan<(string Name, object Value)> attributes) => Open(element, attributes).Text(text).Close();

    /// <summary>An element without content: a shape of SVG, or meta and img of HTML.</summary>
    public Markup Empty(string element, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        Start(element, attributes);
        _text.Append("/>\n");
        return this;
    }

    public Markup Text(string text)
    {
        _text.Append(Encode(text));
        return this;
    }

    /// <summary>Text that is markup already: the style sheet, and nothing that comes from outside.</summary>
    public Markup Raw(string trusted)
    {
        _text.Append(trusted);
        return this;
    }

    public override string ToString() => _text.ToString();

    private void Start(string element, ReadOnlySpan<(string Name, object Value)> attributes)
    {
        _text.Append('<').Append(element);
        foreach ((string name, object value) in attributes)
            _text.Append(' ').Append(name).Append("=\"").Append(Encode(InvariantText(value))).Append('"');
    }

    private static string InvariantText(object value) => value switch
    {
        double number => number.ToString("0.##", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => (string)value,
    };

    // Control characters and unpaired surrogates are not allowed in markup, however they are written.
    private static string Encode(string text)
    {
        StringBuilder clean = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            clean.Append(Rune.IsControl(rune) && rune.Value is not ('\n' or '\t') || rune.Value is 0xFFFE or 0xFFFF ? Rune.ReplacementChar.ToString() : rune.ToString());
        return WebUtility.HtmlEncode(clean.ToString());
    }
}
