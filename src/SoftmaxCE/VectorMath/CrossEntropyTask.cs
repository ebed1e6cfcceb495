using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>The arguments of <see cref="CrossEntropyKernel{T}"/>: rows of logits with their labels or target distributions, and the options.</summary>
/// <remarks>
/// In every row the target of class c is u[c] = background[c] + (c = label ? own : 0), where
/// own = (1 − ε) w[label] and background[c] = ε/C · w[c] for labels, and own = 0, background[c] = w[c] ((1 − ε) t[c] + ε/C) for distributions t.
/// A null pointer stands for what is absent.
/// </remarks>
internal unsafe struct CrossEntropyTask<T>
    where T : unmanaged
{
    public T* Logits;
    public int ClassCount;

    /// <summary>How many rows there are in memory behind these, which will be next: what is fetched in advance need not end with a block.</summary>
    public int RowsBehind;

    /// <summary>One label per row; null when there are <see cref="Targets"/>.</summary>
    public int* Labels;

    /// <summary>One distribution per row; null when there are <see cref="Labels"/>.</summary>
    public T* Targets;

    public T* SampleWeights;
    public double* ClassWeights;
    public int? IgnoreLabel;

    /// <summary>The background of every row when there are labels and ε &gt; 0; memory for the background of one row when there are targets.</summary>
    public T* Background;

    /// <summary>Σ of <see cref="Background"/> when there are labels.</summary>
    public double BackgroundSum;

    /// <summary>1 − ε.</summary>
    public double OwnShare;

    /// <summary>ε/C.</summary>
    public double SmoothingShare;

    /// <summary>A number that T holds.</summary>
    public double Temperature;

    public double ZLoss;
    public double FocalGamma;

    /// <summary>The gradient of the sum of the row losses is multiplied by this: 1 over the weight sum for a mean; the temperature is not in it.</summary>
    public double GradientScale;

    /// <summary>May be the memory of <see cref="Logits"/>.</summary>
    public T* Gradient;

    public T* RowLosses;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly double ClassWeight(int label) => ClassWeights == null ? 1 : ClassWeights[label];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly double SampleWeight(nint row) => SampleWeights == null ? 1 : Element.ToDouble(SampleWeights[row]);

    /// <summary>The same task, its first row being <paramref name="row"/> of this one.</summary>
    public readonly CrossEntropyTask<T> StartingAt(nint row)
    {
        CrossEntropyTask<T> task = this;
        task.Logits += row * ClassCount;
        if (Labels != null) task.Labels += row;
        if (Targets != null) task.Targets += row * ClassCount;
        if (SampleWeights != null) task.SampleWeights += row;
        if (Gradient != null) task.Gradient += row * ClassCount;
        if (RowLosses != null) task.RowLosses += row;
        return task;
    }
}

/// <summary>Sums over rows.</summary>
internal struct CrossEntropyTotals : ITotals<CrossEntropyTotals>
{
    public double Loss;
    public int Correct;

    public void Add(in CrossEntropyTotals other)
    {
        Loss += other.Loss;
        Correct += other.Correct;
    }
}
