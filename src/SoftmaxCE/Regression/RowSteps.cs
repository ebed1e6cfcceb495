namespace SoftmaxCE;

/// <summary>Logits → residuals of the loss; keeps the logits.</summary>
internal sealed unsafe class LossStep(Examples examples, double[] logits, bool withOffsets) : RowStep
{
    public override bool TakesLanes => LaneBlock.Suits(examples.ClassCount, examples.TargetsFrom(0));

    protected override void Run(int first, int length, double* products, double* room, double* stepSums)
    {
        int classes = examples.ClassCount;
        Span<double> ofRows = new(products, length * classes);
        if (withOffsets) examples.AddOffsets(first, ofRows);
        ofRows.CopyTo(logits.AsSpan(first * classes));
        LossRows kernel = new()
        {
            Logits = products, Probabilities = null, Labels = examples.Labels + first, Targets = examples.TargetsFrom(first),
            Weights = examples.WeightsFrom(first), RowCount = length, ClassCount = classes, ResidualSums = stepSums,
        };
        VectorWidth.Run<LossRows, double>(ref kernel);
        stepSums[classes] += kernel.LossSum;
    }

    public override void RunLanes(int first, int length, double* products, int stride, double* room, double* stepSums, double* ofRows = null)
    {
        int classes = examples.ClassCount;
        Span<double> kept = logits.AsSpan(first * classes, length * classes);
        fixed (double* pointer = kept)
        {
            Copy(products, stride, classes, length, ofRows, pointer);
            if (withOffsets && examples.AddOffsets(first, kept)) LaneBlock.Turn(pointer, length, classes, products, stride);
        }

        LossLanes kernel = new()
        {
            Logits = products, Stride = stride, Labels = examples.Labels + first, Weights = examples.WeightsFrom(first),
            RowCount = length, ClassCount = classes, ResidualSums = stepSums,
        };
        VectorWidth.RunOnRegister<LossLanes, double>(ref kernel);
        stepSums[classes] += kernel.LossSum;
    }
}

/// <summary>Logits of a direction → residuals of a Hessian product; keeps the logits of the direction.</summary>
internal sealed unsafe class CurvatureStep(Examples examples, double[] logits, double[] directionLogits) : RowStep
{
    public override bool TakesLanes => LaneBlock.Suits(examples.ClassCount, null);

    protected override void Run(int first, int length, double* products, double* room, double* stepSums)
    {
        int classes = examples.ClassCount;
        long offset = (long)first * classes;
        new ReadOnlySpan<double>(products, length * classes).CopyTo(directionLogits.AsSpan((int)offset));
        CurvatureRows kernel = new()
        {
            Direction = products, Logits = PinnedMemory.Pointer(logits) + offset, Scratch = room,
            Weights = examples.WeightsFrom(first), RowCount = length, ClassCount = classes, ResidualSums = stepSums,
        };
        VectorWidth.Run<CurvatureRows, double>(ref kernel);
    }

    public override void RunLanes(int first, int length, double* products, int stride, double* room, double* stepSums, double* ofRows = null)
    {
        int classes = examples.ClassCount;
        long offset = (long)first * classes;
        Copy(products, stride, classes, length, ofRows, PinnedMemory.Pointer(directionLogits) + offset);
        LaneBlock.Turn(PinnedMemory.Pointer(logits) + offset, length, classes, room, stride);
        CurvatureLanes kernel = new()
        {
            Direction = products, Logits = room, Stride = stride, Weights = examples.WeightsFrom(first),
            RowCount = length, ClassCount = classes, ResidualSums = stepSums,
        };
        VectorWidth.RunOnRegister<CurvatureLanes, double>(ref kernel);
    }
}

/// <summary>Variances s p (1 − p) of the classes: with the squares of the features, the diagonal of the Hessian.</summary>
internal sealed unsafe class VarianceStep(Examples examples, double[] logits) : RowStep
{
    public override bool IsForSquares => true;

    protected override void Run(int first, int length, double* products, double* room, double* stepSums)
    {
        int classes = examples.ClassCount;
        logits.AsSpan(first * classes, length * classes).CopyTo(new Span<double>(products, length * classes));
        ProbabilityRows kernel = new() { Logits = products, RowCount = length, ClassCount = classes };
        VectorWidth.Run<ProbabilityRows, double>(ref kernel);
        double* weights = examples.WeightsFrom(first);
        for (int i = 0; i < length; i++, products += classes)
        {
            double weight = weights == null ? 1 : weights[i];
            for (int c = 0; c < classes; c++) products[c] *= weight * (1 - products[c]);
        }
    }
}

/// <summary>Keeps the products, [rows, count].</summary>
internal sealed unsafe class KeepStep(double[] kept, int count) : RowStep
{
    protected override void Run(int first, int length, double* products, double* room, double* stepSums) =>
        new ReadOnlySpan<double>(products, length * count).CopyTo(kept.AsSpan(first * count));
}

/// <summary>Products times the row's weight: the middle of a product with XᵀX.</summary>
internal sealed unsafe class GramStep(double[]? sampleWeights, int count) : RowStep
{
    protected override void Run(int first, int length, double* products, double* room, double* stepSums)
    {
        if (sampleWeights is null) return;
        for (int i = 0; i < length; i++)
        {
            for (int c = 0; c < count; c++) products[(i * count) + c] *= sampleWeights[first + i];
        }
    }
}
