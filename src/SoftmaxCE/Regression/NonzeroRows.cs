namespace SoftmaxCE;

/// <summary>For each of some rows the parameters whose feature is not 0 there, and the feature's values.</summary>
internal sealed class NonzeroRows
{
    // Above this share of values that are not 0 dense products are faster.
    private const double DenseShare = 0.1;

    private readonly int[] _starts;
    private readonly int[] _parameters;
    private readonly double[] _values;

    /// <param name="gathered">[rows, width], the last column all 1.</param>
    /// <param name="width">Columns.</param>
    /// <param name="placeOf">Column of each parameter.</param>
    public NonzeroRows(double[] gathered, int width, int[] placeOf)
    {
        int rowCount = gathered.Length / width;
        List<int>[] parametersOf = new List<int>[width];
        for (int k = 0; k < width; k++) parametersOf[k] = [];
        for (int a = 0; a < placeOf.Length; a++) parametersOf[placeOf[a]].Add(a);
        List<int> parameters = [];
        List<double> values = [];
        _starts = new int[rowCount + 1];
        for (int i = 0; i < rowCount; i++)
        {
            for (int k = 0; k < width; k++)
            {
                double x = gathered[(i * width) + k];
                if (x == 0) continue;
                foreach (int a in parametersOf[k])
                {
                    parameters.Add(a);
                    values.Add(x);
                }
            }

            _starts[i + 1] = parameters.Count;
        }

        _parameters = [.. parameters];
        _values = [.. values];
    }

    /// <summary>Whether so many values are 0 that lists of the others pay.</summary>
    public static bool WorthIt(ReadOnlySpan<double> gathered) => gathered.Length - gathered.Count(0.0) < DenseShare * gathered.Length;

    public ReadOnlySpan<int> Parameters(int row) => _parameters.AsSpan(_starts[row].._starts[row + 1]);

    public ReadOnlySpan<double> Values(int row) => _values.AsSpan(_starts[row].._starts[row + 1]);
}
