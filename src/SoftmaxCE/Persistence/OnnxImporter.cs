namespace SoftmaxCE;

/// <summary>
/// Reads softmax regressions from ONNX files: those of <see cref="OnnxExporter"/> in both forms, and linear classifiers as the converter of
/// scikit-learn writes them.
/// </summary>
/// <remarks>
/// <para>
/// Read are Gemm with Softmax (and ArgMax and Gather for labels), and LinearClassifier with post_transform SOFTMAX, or LOGISTIC for two classes
/// with opposite coefficients; before it any number of Scaler and Cast, which become part of the coefficients; after it Normalizer (L1),
/// ZipMap, Cast and Identity, which change nothing. Labels may be texts or integers and become the class names.
/// </para>
/// <para>
/// Every file is taken as written by an enemy: lengths are compared with what is there before anything is allocated, and an operator or
/// attribute that is not known is refused, because the file would then mean something else. Coefficients are the 32-bit floats of the file.
/// </para>
/// </remarks>
public static class OnnxImporter
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is damaged or is no softmax regression in a known form; the message says why.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SoftmaxRegressionModel Import(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return Import(stream);
    }

    /// <summary>Reads a stream.</summary>
    /// <param name="stream">Read to its end, which must be the end of the file; it stays open.</param>
    /// <exception cref="InvalidDataException">The file is damaged or is no softmax regression in a known form; the message says why.</exception>
    public static SoftmaxRegressionModel Import(Stream stream) => Import(WholeFile.Read(stream).Span);

    /// <summary>Reads a file in memory.</summary>
    /// <param name="file">The whole file.</param>
    /// <exception cref="InvalidDataException">The file is damaged or is no softmax regression in a known form; the message says why.</exception>
    public static SoftmaxRegressionModel Import(ReadOnlySpan<byte> file) => SoftmaxRegressionModel.FromContent(OnnxClassifier.Read(OnnxModel.Parse(file)));
}
