using System.Diagnostics;
using Xunit.Abstractions;

namespace SoftmaxCE.Tests;

/// <summary>Draws a report in Chromium where it is installed; where it is not, these tests say so and do nothing.</summary>
[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class BrowserTests(ITestOutputHelper output)
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    [Theory, InlineData(false), InlineData(true)]
    public void A_browser_draws_cells_curves_pictures_and_text_in_light_and_dark(bool dark)
    {
        if (Browser() is not { } browser) return;
        using TemporaryFolder folder = new();
        string image = folder.File("report.png");
        Run(browser, folder, ["--hide-scrollbars", "--force-device-scale-factor=1", "--window-size=1100,1500", $"--screenshot={image}", .. dark ? (string[])["--blink-settings=preferredColorScheme=0"] : []]);
        PngImage picture = new(File.ReadAllBytes(image));

        picture.Width.Should().Be(1100);
        int all = picture.Width * picture.Height;
        picture.Count((r, g, b) => r + g + b > 3 * 200).Should().BeInRange(dark ? 500 : all / 2, dark ? all / 4 : all, "the paper is light, or else the ink");
        picture.Count((r, g, b) => r + g + b < 3 * 60).Should().BeInRange(dark ? all / 2 : 500, dark ? all : all / 4, "the ink is dark, or else the paper");
        picture.Count((r, g, b) => b > r + 80).Should().BeGreaterThan(5000, "cells of the diagonal, curves and negative coefficients are blue");
        picture.Count((r, g, b) => r > b + 80 && r > g + 80).Should().BeGreaterThan(5000, "positive coefficients are red");
    }

    [Fact]
    public void A_browser_finds_every_element_that_was_written()
    {
        if (Browser() is not { } browser) return;
        using TemporaryFolder folder = new();
        string page = ReportPage.ToHtml(ReportPageTests.Sample()), seen = Run(browser, folder, ["--dump-dom"]);
        foreach (string element in (string[])["svg", "rect", "circle", "line", "polyline", "text", "img", "table", "tr", "td", "th", "figure", "h1", "h2"])
            Count(seen, $"<{element}").Should().Be(Count(page, $"<{element}"), "a browser makes an element of each {0}", element).And.BePositive();
        seen.Should().Contain("&lt;cat&gt; &amp; co");
    }

    private static int Count(string text, string tag) => text.Split([tag + " ", tag + ">"], StringSplitOptions.None).Length - 1;

    private string? Browser()
    {
        string? browser = Names.SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
        if (browser is null) output.WriteLine("No Chromium is installed here.");
        return browser;
    }

    /// <summary>Opens the sample report; what the browser prints.</summary>
    private static string Run(string browser, TemporaryFolder folder, string[] wishes)
    {
        string page = folder.File("report.html");
        File.WriteAllText(page, ReportPage.ToHtml(ReportPageTests.Sample()));
        ProcessStartInfo start = new(browser) { RedirectStandardError = true, RedirectStandardOutput = true };
        string[] arguments =
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            $"--user-data-dir={folder.File("profile")}", .. wishes, new Uri(page).AbsoluteUri,
        ];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        process.BeginErrorReadLine();
        Task<string> printed = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(60)))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException("The browser did not finish in 60 seconds.");
        }

        return printed.GetAwaiter().GetResult();
    }
}
