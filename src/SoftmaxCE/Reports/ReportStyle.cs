using System.Security.Cryptography;
using System.Text;

namespace SoftmaxCE;

/// <summary>The look of a report, in light and dark.</summary>
internal static class ReportStyle
{
    private const string Rules = """
        :root { color-scheme: light dark; --ink: #1b1f27; --faint: #626b7a; --paper: #ffffff; --panel: #f5f6f8; --line: #d5d9e0; --right: #1f6fd1; --wrong: #c2372e; --strong: #ffffff; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e7e9ee; --faint: #9aa3b2; --paper: #14171d; --panel: #1d2129; --line: #363c48; --right: #6ea8fe; --wrong: #ff8177; --strong: #0d1016; } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1000px; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
        p.note { color: var(--faint); margin: .3rem 0 .8rem; }
        table { border-collapse: collapse; } th, td { padding: .2rem .8rem; border-bottom: 1px solid var(--line); text-align: right; font-variant-numeric: tabular-nums; }
        th:first-child, td:first-child { text-align: left; } thead th { color: var(--faint); font-weight: 600; }
        .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .8rem; margin-top: 1rem; }
        .charts, .pictures { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
        .cards div { background: var(--panel); border-radius: 8px; padding: .6rem .9rem; } .cards b { display: block; font-size: 1.35rem; } .cards span { color: var(--faint); display: block; font-size: .85rem; }
        .wide { overflow-x: auto; } figure { margin: 0; } figcaption { color: var(--faint); font-size: .85rem; text-align: center; }
        .pictures img { width: 112px; height: auto; image-rendering: pixelated; border: 1px solid var(--line); }
        svg { background: var(--panel); border-radius: 8px; max-width: 100%; height: auto; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
        svg .title { font-weight: 600; font-size: 14px; } svg .tick { fill: var(--faint); font-size: 11px; } svg .label { fill: var(--faint); } svg .count { font-size: 11px; } svg .strong { fill: var(--strong); }
        svg .grid { stroke: var(--line); } svg .axis { stroke: var(--faint); } svg .curve { stroke: var(--right); stroke-width: 2; fill: none; } svg .dot { fill: var(--right); }
        svg .reference { stroke: var(--faint); stroke-dasharray: 5 4; } svg .share { fill: var(--faint); fill-opacity: .25; } svg .shareline { stroke: var(--faint); stroke-opacity: .4; stroke-width: 8; }
        svg .right { fill: var(--right); } svg .wrong { fill: var(--wrong); } .above { fill: var(--wrong); } .below { fill: var(--right); }

        """;

    /// <summary>The style sheet. Its lines end the same on every system, for its hash stands in the policy.</summary>
    public static string Sheet { get; } = Rules.ReplaceLineEndings("\n");

    /// <summary>Nothing is loaded and nothing runs: the only exceptions are this very style sheet and pictures whose address holds them.</summary>
    public static string SecurityPolicy { get; } =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Sheet)))}'; img-src data:; base-uri 'none'; form-action 'none'";
}
