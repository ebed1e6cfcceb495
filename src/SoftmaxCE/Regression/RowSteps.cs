namespace SoftmaxCE;

/// <summary>Logits → residuals of the loss; keeps logits and probabilities.</summary>
internal sealed unsafe class LossStep(Examples examples, double[] logits, double[] probabilities, bool withOffsets) : RowStep
{
    public override void Run(int first, int length, double* products, double* stepSums)
    {
        int classes = examples.ClassCount;
        long offset = (long)first * classes;
        Span<double> ofRows = new(products, length * classes);
        if (withOffsets) examples.AddOffsets(first, ofRows);
        ofRows.CopyTo(logits.AsSpan((int)offset));
        LossRows kernel = new()
        {
            Logits = products, Probabilities = PinnedMemory.Pointer(probabilities) + offset, Labels = examples.Labels + first, Targets = examples.TargetsFrom(first),
            Weights = examples.WeightsFrom(first), RowCount = length, ClassCount = classes, ResidualSums = stepSums,
        };
        VectorWidth.Run<LossRows, double>(ref kernel);
        stepSums[classes] += kernel.LossSum;
    }
}

/// <summary>Logits of a direction → residuals of a Hessian product; keeps the logits of the direction.</summary>
internal sealed unsafe class CurvatureStep(Examples examples, double[] probabilities, double[] directionLogits) : RowStep
{
    public override void Run(int first, int length, double* products, double* stepSums)
    {
        int classes = examples.ClassCount;
        long offset = (long)first * classes;
        new ReadOnlySpan<double>(products, length * classes).CopyTo(directionLogits.AsSpan((int)offset));
        CurvatureRows kernel = new()
        {
            Logits = products, Probabilities = PinnedMemory.Pointer(probabilities) + offset,
            Weights = examples.WeightsFrom(first), RowCount = length, ClassCount = classes, ResidualSums = stepSums,
        };
        VectorWidth.Run<CurvatureRows, double>(ref kernel);
    }
}

/// <summary>Keeps the products, [rows, count].</summary>
internal sealed unsafe class KeepStep(double[] kept, int count) : RowStep
{
    public override void Run(int first, int length, double* products, double* stepSums) =>
        new ReadOnlySpan<double>(products, length * count).CopyTo(kept.AsSpan(first * count));
}

/// <summary>Products times the row's weight: the middle of a product with XᵀX.</summary>
internal sealed unsafe class GramStep(double[]? sampleWeights, int count) : RowStep
{
    public override void Run(int first, int length, double* products, double* stepSums)
    {
        if (sampleWeights is null) return;
        for (int i = 0; i < length; i++)
        {
            for (int c = 0; c < count; c++) products[(i * count) + c] *= sampleWeights[first + i];
        }
    }
}
