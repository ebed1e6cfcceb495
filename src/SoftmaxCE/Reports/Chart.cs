namespace SoftmaxCE;

/// <summary>
/// The frame of a chart with two axes: title, axis titles, ticks with their lines, legend. What goes inside is drawn by the caller
/// between <see cref="Begin"/> and <see cref="End"/>.
/// </summary>
internal sealed class Chart(Markup markup)
{
    public const double Width = 460;
    public const double Height = 328;
    public const double Left = 66;
    public const double Right = 446;
    public const double Top = 40;
    public const double Bottom = 262;

    public void Begin(string title, string description, (string Title, ChartAxis Axis) x, (string Title, ChartAxis Axis) y)
    {
        BeginPicture(markup, title, description, Width, Height);
        markup.Element("text", title, ("class", "title"), ("x", Left), ("y", 20));
        foreach (AxisTick tick in y.Axis.Ticks)
        {
            double place = y.Axis.PlaceOf(tick.Value);
            Line("grid", Left, place, Right, place);
            markup.Element("text", tick.Label, ("class", "tick"), ("x", Left - 6), ("y", place + 4), ("text-anchor", "end"));
        }

        foreach (AxisTick tick in x.Axis.Ticks)
        {
            double place = x.Axis.PlaceOf(tick.Value);
            Line("axis", place, Bottom, place, Bottom + 4);
            markup.Element("text", tick.Label, ("class", "tick"), ("x", place), ("y", Bottom + 18), ("text-anchor", "middle"));
        }

        Line("axis", Left, Bottom, Right, Bottom);
        Line("axis", Left, Top, Left, Bottom);
        double middle = (Top + Bottom) / 2;
        markup.Element("text", x.Title, ("class", "label"), ("x", (Left + Right) / 2), ("y", Bottom + 38), ("text-anchor", "middle"));
        markup.Element("text", y.Title, ("class", "label"), ("x", 14.0), ("y", middle), ("text-anchor", "middle"), ("transform", FormattableString.Invariant($"rotate(-90 14 {middle:0.##})")));
    }

    public void End() => markup.Close();

    public static void BeginPicture(Markup markup, string title, string description, double width, double height) => markup
        .Open("svg", ("xmlns", "http://www.w3.org/2000/svg"), ("viewBox", FormattableString.Invariant($"0 0 {width:0.##} {height:0.##}")), ("width", width), ("height", height), ("role", "img"), ("aria-label", $"{title}. {description}"))
        .Element("title", title)
        .Element("desc", description);

    public void Line(string kind, double x1, double y1, double x2, double y2) => markup.Empty("line", ("class", kind), ("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2));

    public void Curve(string kind, IEnumerable<(double X, double Y)> places) =>
        markup.Empty("polyline", ("class", kind), ("points", string.Join(' ', places.Select(place => FormattableString.Invariant($"{place.X:0.##},{place.Y:0.##}")))));

    /// <summary>A dot that tells its values when pointed at.</summary>
    public void Dot(string kind, double x, double y, double radius, string explanation) => markup
        .Open("circle", ("class", kind), ("cx", x), ("cy", y), ("r", radius))
        .Element("title", explanation)
        .Close();

    /// <summary>A bar that tells its value when pointed at.</summary>
    public void Bar(string kind, double x, double y, double width, double height, string explanation) => markup
        .Open("rect", ("class", kind), ("x", x), ("y", y), ("width", width), ("height", height))
        .Element("title", explanation)
        .Close();

    /// <summary>Names of what is drawn, with a sample of each, in a row below the axis, where no curve can be.</summary>
    public void Legend(params ReadOnlySpan<(string Kind, string Name)> entries)
    {
        const double Sample = 24;
        const double LetterWidth = 6.5;
        double x = Left, y = Height - 10;
        foreach ((string kind, string name) in entries)
        {
            Line(kind, x, y - 4, x + Sample, y - 4);
            markup.Element("text", name, ("class", "tick"), ("x", x + Sample + 6), ("y", y));
            x += Sample + 24 + (LetterWidth * name.Length);
        }
    }
}
