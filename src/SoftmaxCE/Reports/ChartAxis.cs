using System.Globalization;

namespace SoftmaxCE;

/// <summary>A mark on an axis.</summary>
internal readonly record struct AxisTick(double Value, string Label);

/// <summary>Maps values to places in a chart, linearly or by their logarithm, with ends at round numbers.</summary>
internal sealed class ChartAxis
{
    private const int WishedSteps = 5;
    private const int MostDecades = 6;

    private readonly bool _isLogarithmic;
    private readonly double _low;
    private readonly double _high;
    private readonly double _start;
    private readonly double _end;

    private ChartAxis(bool isLogarithmic, double low, double high, double start, double end, IReadOnlyList<AxisTick> ticks)
    {
        _isLogarithmic = isLogarithmic;
        _low = low;
        _high = high;
        _start = start;
        _end = end;
        Ticks = ticks;
    }

    public IReadOnlyList<AxisTick> Ticks { get; }

    /// <summary>An axis whose steps are 1, 2 or 5 times a power of ten.</summary>
    /// <param name="values">What must fit, finite; may be empty.</param>
    /// <param name="start">Place of the low end.</param>
    /// <param name="end">Place of the high end.</param>
    public static ChartAxis Linear(IReadOnlyCollection<double> values, double start, double end)
    {
        double low = values.DefaultIfEmpty(0).Min();
        double high = values.DefaultIfEmpty(0).Max();
        double range = high - low;
        if (range <= 1e-12 * Math.Max(Math.Abs(low), Math.Abs(high))) range = low == 0 ? 1 : Math.Abs(low);
        double step = RoundStep(range / WishedSteps);
        long first = (long)Math.Floor(low / step);
        long last = Math.Max((long)Math.Ceiling(high / step), first + 1);
        List<AxisTick> ticks = [];
        for (long i = first; i <= last; i++) ticks.Add(new AxisTick(i * step, Label(i * step, step)));
        return new ChartAxis(false, first * step, last * step, start, end, ticks);
    }

    /// <summary>An axis of powers of ten.</summary>
    /// <param name="values">What must fit, finite and above 0; may be empty.</param>
    /// <param name="start">Place of the low end.</param>
    /// <param name="end">Place of the high end.</param>
    public static ChartAxis Logarithmic(IReadOnlyCollection<double> values, double start, double end)
    {
        int first = (int)Math.Floor(Math.Log10(values.DefaultIfEmpty(1).Min()));
        int last = Math.Max((int)Math.Ceiling(Math.Log10(values.DefaultIfEmpty(1).Max())), first + 1);
        int step = (last - first + MostDecades - 1) / MostDecades;
        List<AxisTick> ticks = [];
        for (int exponent = first; exponent <= last; exponent += step)
            ticks.Add(new AxisTick(Math.Pow(10, exponent), string.Create(CultureInfo.InvariantCulture, $"1e{exponent}")));
        return new ChartAxis(true, first, last, start, end, ticks);
    }

    /// <summary>Where a value stands.</summary>
    public double PlaceOf(double value) => _start + (((_isLogarithmic ? Math.Log10(value) : value) - _low) / (_high - _low) * (_end - _start));

    // The smallest of 1, 2, 5, 10 times a power of ten that is not below the wish.
    private static double RoundStep(double wish)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(wish)));
        double times = wish / power;
        return power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
    }

    private static string Label(double value, double step)
    {
        int decimals = Math.Max(0, -(int)Math.Floor(Math.Log10(step) + 1e-9));
        if (decimals > 6 || Math.Abs(value) >= 1e6) return value.ToString("0.###e+0", CultureInfo.InvariantCulture);
        return Math.Round(value, decimals).ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
