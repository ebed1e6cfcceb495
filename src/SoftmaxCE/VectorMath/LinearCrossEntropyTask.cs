namespace SoftmaxCE;

/// <summary>The arguments of a linear cross-entropy and the memory for one block of its rows. A null pointer stands for what is absent.</summary>
/// <remarks>
/// The block holds <see cref="Rows"/> rows of features, padded with rows of zeros to <see cref="PaddedRows"/> and with columns of zeros to
/// <see cref="Columns"/>, twice: row after row, and in panels of <see cref="PanelRows"/> rows with feature after feature, as the three matrix
/// products want them.
/// </remarks>
internal unsafe struct LinearCrossEntropyTask<T>
    where T : unmanaged
{
    public T* Features;

    /// <summary>[classes, features].</summary>
    public T* Coefficients;

    public T* Intercepts;
    public int* Labels;
    public T* SampleWeights;
    public double* ClassWeights;

    /// <summary>ε/C · w[c] of each class; null when ε = 0.</summary>
    public T* Background;

    public double BackgroundSum;
    public double OwnShare;
    public int? IgnoreLabel;
    public double Temperature;
    public double ZLoss;
    public double GradientScale;
    public int FeatureCount;
    public int ClassCount;

    public T* FeatureGradient;
    public T* CoefficientGradient;
    public T* InterceptGradient;

    /// <summary>The first row of the block.</summary>
    public int FirstRow;

    public int Rows;
    public int PaddedRows;
    public int PanelRows;

    public int Columns;

    /// <summary>Values from one row of features to the next: a little more than <see cref="Columns"/>, so that rows do not fall on the same cache sets.</summary>
    public int Stride;

    /// <summary>[padded rows, stride].</summary>
    public T* Block;

    /// <summary>[padded rows / panel rows, features, panel rows].</summary>
    public T* Panels;

    /// <summary>The label of each row, −1 for an ignored one.</summary>
    public int* RowLabels;

    /// <summary>The logit of the label, and whether it is the largest of its slice and none before it is as large.</summary>
    public T* LabelLogits;

    public bool* LabelIsFirst;

    /// <summary>The maximum of each row; +∞ for rows that do not count, so that their exponentials are 0.</summary>
    public T* RowMaxima;

    /// <summary>∂loss/∂logit = factor · e^(logit − max) − scale · background, apart from the label's.</summary>
    public T* RowFactors;

    public T* RowScales;
    public T* LabelGradients;

    public readonly double ClassWeight(int label) => ClassWeights == null ? 1 : ClassWeights[label];
}

/// <summary>What a slice of classes adds to one row's sum: see <see cref="PivotSum"/>; the label is left out of <see cref="Others"/>.</summary>
internal struct SliceSum
{
    /// <summary>The largest logit of the slice, the label's included.</summary>
    public double Max;

    /// <summary>Σ e^((x − max)/temperature) without the label.</summary>
    public double Others;

    /// <summary>Σ background (x − max)/temperature.</summary>
    public double Dot;
}
