using System.Numerics.Tensors;
using BenchmarkDotNet.Attributes;

namespace SoftmaxCE.Benchmarks;

/// <summary>Classes of 10,000 rows of 784 floats in 10 classes on one thread: all in a call, one by one, and through ML.NET's PredictionEngine; beside a plain sum over the rows.</summary>
public class PredictionBenchmarks
{
    private const int RowCount = 10_000;
    private const int Columns = 784;
    private const int Classes = 10;
    private const int TrainedRows = 500;

    private readonly float[] _values = new float[RowCount * Columns];
    private readonly int[] _labels = new int[RowCount];
    private DenseRows<float> _rows = new(new float[1], 1);
    private SoftmaxRegressionModel? _model;
    private Func<ReadOnlySpan<float>, int>? _engine;

    /// <summary>Sum of all features, so that nothing is left out.</summary>
    public float Total { get; private set; }

    [GlobalSetup]
    public void Setup()
    {
        Random random = new(1);
        for (int i = 0; i < _values.Length; i++) _values[i] = random.Next(256) / 255f;
        int[] labels = [.. Enumerable.Range(0, TrainedRows).Select(i => i % Classes)];
        MaximumEntropy peer = new(_values[..(TrainedRows * Columns)], labels, Classes);
        (_engine, double[] coefficients, double[] intercepts) = peer.Engine(l2: 1e-2, tolerance: 1e-4f);
        _rows = new DenseRows<float>(_values, Columns);
        _model = new SoftmaxRegressionModel(coefficients, intercepts);

        PredictionEngine();
        int[] expected = [.. _labels];
        OursRows();
        Require(expected);
        OursOneByOne();
        Require(expected);
        long before = GC.GetAllocatedBytesForCurrentThread();
        OursOneByOne();
        if (GC.GetAllocatedBytesForCurrentThread() != before) throw new InvalidOperationException("Predicting allocates.");
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = RowCount)]
    public void PredictionEngine()
    {
        for (int i = 0; i < RowCount; i++) _labels[i] = _engine!(_values.AsSpan(i * Columns, Columns));
    }

    [Benchmark(OperationsPerInvoke = RowCount), Traffic(4)]
    public void PlainSum() => Total = TensorPrimitives.Sum<float>(_values);

    [Benchmark(OperationsPerInvoke = RowCount)]
    public void OursOneByOne()
    {
        for (int i = 0; i < RowCount; i++) _labels[i] = _model!.Predict<float>(_values.AsSpan(i * Columns, Columns));
    }

    [Benchmark(OperationsPerInvoke = RowCount)]
    public void OursRows() => _model!.PredictRows(_rows, _labels);

    // ML.NET adds up in float: where two classes are nearly alike it may choose the other.
    private void Require(int[] expected)
    {
        int different = _labels.Where((label, i) => label != expected[i]).Count();
        if (different > RowCount / 1000) throw new InvalidOperationException($"{different} rows are predicted otherwise.");
    }
}
