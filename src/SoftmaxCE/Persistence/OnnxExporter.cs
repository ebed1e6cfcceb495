namespace SoftmaxCE;

/// <summary>
/// Writes a model as an ONNX file, for every runtime that reads this format. Input "features" [rows, features] in 32-bit floats; outputs
/// "label" [rows] (the name of the class, or its number when classes have no names) and "probabilities" [rows, classes].
/// </summary>
/// <remarks>The file is in 32-bit floats (opset 13, ai.onnx.ml 1): probabilities differ from the model's in double by about 1e-7. Class and feature names are in the metadata.</remarks>
public static class OnnxExporter
{
    /// <summary>Writes a file of standard operators, in one step: a crash or a full disk leaves an old file of that name whole.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidOperationException">A coefficient is beyond the range of 32-bit floats.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Export(SoftmaxRegressionModel model, string path) => Export(model, path, OnnxForm.StandardOperators);

    /// <summary>Writes a file in one step: a crash or a full disk leaves an old file of that name whole.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file.</param>
    /// <param name="form">Which operators the file uses.</param>
    /// <exception cref="InvalidOperationException">A coefficient is beyond the range of 32-bit floats.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Export(SoftmaxRegressionModel model, string path, OnnxForm form)
    {
        ArgumentNullException.ThrowIfNull(model);
        AtomicFile.Write(path, stream => Export(model, stream, form));
    }

    /// <summary>Writes to a stream.</summary>
    /// <param name="model">The model.</param>
    /// <param name="stream">Receives the file; it stays open.</param>
    /// <param name="form">Which operators the file uses.</param>
    /// <exception cref="InvalidOperationException">A coefficient is beyond the range of 32-bit floats.</exception>
    public static void Export(SoftmaxRegressionModel model, Stream stream, OnnxForm form)
    {
        ArgumentNullException.ThrowIfNull(model);
        OnnxFile.Write(model.ToContent(), form, stream);
    }
}
