using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// ML.NET's name for softmax regression, trained by L-BFGS. Its penalty is added to the sum of the losses, so the same objective
/// takes L2 times the number of rows; its L1 is on by default and switched off here.
/// </summary>
internal sealed class MaximumEntropy
{
    private readonly MLContext _context = new(seed: 1);
    private readonly IDataView _rows;
    private readonly int _rowCount;

    public MaximumEntropy(float[] features, int[] labels, int classes)
    {
        int columns = features.Length / labels.Length;
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, columns);
        schema[nameof(Row.Label)].ColumnType = new KeyDataViewType(typeof(uint), classes);
        // The loader takes the values of such a key column as counted from 0.
        Row[] rows = [.. labels.Select((label, i) => new Row { Features = features[(i * columns)..((i + 1) * columns)], Label = (uint)label })];
        _rows = _context.Data.LoadFromEnumerable(rows, schema);
        _rowCount = labels.Length;
    }

    /// <summary>Trains; the result is coefficients [classes, columns] and intercepts.</summary>
    public (double[] Coefficients, double[] Intercepts) Train(double l2, float tolerance)
    {
        LbfgsMaximumEntropyMulticlassTrainer trainer = _context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(new LbfgsMaximumEntropyMulticlassTrainer.Options
        {
            LabelColumnName = nameof(Row.Label),
            FeatureColumnName = nameof(Row.Features),
            L1Regularization = 0,
            L2Regularization = (float)(l2 * _rowCount),
            OptimizationTolerance = tolerance,
        });
        MaximumEntropyModelParameters model = trainer.Fit(_rows).Model;
        VBuffer<float>[] weights = [];
        model.GetWeights(ref weights, out _);
        return ([.. weights.SelectMany(row => row.DenseValues()).Select(w => (double)w)], [.. model.GetBiases().Select(b => (double)b)]);
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        public uint Label { get; set; }
    }
}
