namespace SoftmaxCE.Tests;

/// <summary>A text that comes in pieces of a few characters, as from a slow connection, so that every boundary between pieces occurs.</summary>
internal sealed class TricklingReader(string text, int atOnce) : StringReader(text)
{
    public override int Read(char[] buffer, int index, int count) => base.Read(buffer, index, Math.Min(count, atOnce));
}
