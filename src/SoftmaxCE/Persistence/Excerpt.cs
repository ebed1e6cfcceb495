namespace SoftmaxCE;

/// <summary>Text from a file as it is shown in an error: not more than a line of it.</summary>
internal static class Excerpt
{
    private const int Longest = 60;

    public static string Of(string text) => text.Length <= Longest ? text : string.Concat(text.AsSpan(0, Longest), "…");
}
