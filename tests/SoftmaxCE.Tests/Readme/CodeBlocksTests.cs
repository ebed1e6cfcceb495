namespace SoftmaxCE.Tests;

public sealed class CodeBlocksTests
{
    private const string Markdown = """
        # Title
        ```
        dotnet test
        ```
        ```csharp
        using SoftmaxCE;

        int one = 1;
          Console.WriteLine(one);
        ```
        It prints
        ```text
        1
        ```
        ```csharp
        int two = 2;
        ```
        ```bash
        ls
        ```
        """;

    [Fact]
    public void Examples_come_without_usings_and_with_the_output_that_follows() => CodeBlocks.InMarkdown(Markdown).Should().Equal(
        new CodeExample(5, "int one = 1;\n  Console.WriteLine(one);", "1"),
        new CodeExample(15, "int two = 2;", null));

    [Fact]
    public void Regions_come_without_indentation_by_name()
    {
        const string Source = """
                void M()
                {
                    #region README first one
                    if (a)
                        b();

                    #endregion
                    c();
                }
            """;

        CodeBlocks.InSource(Source).Should().BeEquivalentTo(new Dictionary<string, string> { ["first one"] = "if (a)\n    b();" });
    }

    [Fact]
    public void A_block_without_an_end_is_an_error() =>
        FluentActions.Invoking(() => CodeBlocks.InMarkdown("```csharp\nint a;")).Should().Throw<InvalidDataException>().WithMessage("*line 1*");
}
