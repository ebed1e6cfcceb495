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
    private readonly int _columns;
    private readonly SchemaDefinition _schema;

    public MaximumEntropy(float[] features, int[] labels, int classes)
    {
        int columns = _columns = features.Length / labels.Length;
        SchemaDefinition schema = _schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, columns);
        schema[nameof(Row.Label)].ColumnType = new KeyDataViewType(typeof(uint), classes);
        // The loader takes the values of such a key column as counted from 0.
        Row[] rows = [.. labels.Select((label, i) => new Row { Features = features[(i * columns)..((i + 1) * columns)], Label = (uint)label })];
        _rows = _context.Data.LoadFromEnumerable(rows, schema);
        _rowCount = labels.Length;
    }

    /// <summary>Trains, and makes the engine that predicts row by row: it returns the label. The model is the result, too.</summary>
    public (Func<ReadOnlySpan<float>, int> Predict, double[] Coefficients, double[] Intercepts) Engine(double l2, float tolerance)
    {
        var transformer = Trainer(l2, tolerance).Fit(_rows);
        PredictionEngine<Row, Prediction> engine = _context.Model.CreatePredictionEngine<Row, Prediction>(transformer, ignoreMissingColumns: false, _schema);
        Row row = new() { Features = new float[_columns] };
        Prediction prediction = new();
        (double[] coefficients, double[] intercepts) = ParametersOf(transformer.Model);
        return (features =>
        {
            features.CopyTo(row.Features);
            engine.Predict(row, ref prediction);
            return (int)prediction.PredictedLabel - 1;          // keys are counted from 1
        }, coefficients, intercepts);
    }

    /// <summary>Trains; the result is coefficients [classes, columns] and intercepts.</summary>
    public (double[] Coefficients, double[] Intercepts) Train(double l2, float tolerance) => ParametersOf(Trainer(l2, tolerance).Fit(_rows).Model);

    private LbfgsMaximumEntropyMulticlassTrainer Trainer(double l2, float tolerance) =>
        _context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(new LbfgsMaximumEntropyMulticlassTrainer.Options
        {
            LabelColumnName = nameof(Row.Label),
            FeatureColumnName = nameof(Row.Features),
            L1Regularization = 0,
            L2Regularization = (float)(l2 * _rowCount),
            OptimizationTolerance = tolerance,
        });

    private static (double[] Coefficients, double[] Intercepts) ParametersOf(MaximumEntropyModelParameters model)
    {
        VBuffer<float>[] weights = [];
        model.GetWeights(ref weights, out _);
        return ([.. weights.SelectMany(row => row.DenseValues()).Select(w => (double)w)], [.. model.GetBiases().Select(b => (double)b)]);
    }

    private sealed class Prediction
    {
        public uint PredictedLabel { get; set; }
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];

        public uint Label { get; set; }
    }
}
