namespace SoftmaxCE;

/// <summary>Rows read from a file, with the label of each as the file writes it.</summary>
/// <typeparam name="TRows"><see cref="DenseRows{T}"/> or <see cref="SparseRows{T}"/>.</typeparam>
/// <param name="Rows">The features.</param>
/// <param name="Labels">Class name of each row; empty when the file has no labels. Rows of a class share one string.</param>
/// <param name="FeatureNames">Name of each feature, or null when the file does not name them.</param>
public sealed record LabeledRows<TRows>(TRows Rows, IReadOnlyList<string> Labels, IReadOnlyList<string>? FeatureNames)
    where TRows : FeatureRows;
