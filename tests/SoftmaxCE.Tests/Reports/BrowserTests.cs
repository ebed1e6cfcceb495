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
        string? browser = Names.SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
        if (browser is null)
        {
            output.WriteLine("No Chromium is installed here.");
            return;
        }

        using TemporaryFolder folder = new();
        string page = folder.File("report.html");
        File.WriteAllText(page, ReportPage.ToHtml(ReportPageTests.Sample()));
        PngImage picture = Draw(browser, folder, page, dark);

        picture.Width.Should().Be(1100);
        int all = picture.Width * picture.Height;
        picture.Count((r, g, b) => r + g + b > 3 * 200).Should().BeInRange(dark ? 500 : all / 2, dark ? all / 4 : all, "the paper is light, or else the ink");
        picture.Count((r, g, b) => r + g + b < 3 * 60).Should().BeInRange(dark ? all / 2 : 500, dark ? all : all / 4, "the ink is dark, or else the paper");
        picture.Count((r, g, b) => b > r + 80).Should().BeGreaterThan(5000, "cells of the diagonal, curves and negative coefficients are blue");
        picture.Count((r, g, b) => r > b + 80 && r > g + 80).Should().BeGreaterThan(5000, "positive coefficients are red");
    }

    private static PngImage Draw(string browser, TemporaryFolder folder, string page, bool dark)
    {
        string image = folder.File("report.png");
        ProcessStartInfo start = new(browser) { RedirectStandardError = true, RedirectStandardOutput = true };
        string[] arguments =
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars", "--force-device-scale-factor=1", "--window-size=1100,1500", $"--user-data-dir={folder.File("profile")}", $"--screenshot={image}",
            .. dark ? (string[])["--blink-settings=preferredColorScheme=0"] : [], new Uri(page).AbsoluteUri,
        ];
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        if (!process.WaitForExit(TimeSpan.FromSeconds(60)))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException("The browser did not finish in 60 seconds.");
        }

        return new PngImage(File.ReadAllBytes(image));
    }
}
