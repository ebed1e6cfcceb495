namespace SoftmaxCE;

/// <summary>Which operators an ONNX file uses. Input and outputs are the same but for the logits.</summary>
public enum OnnxForm
{
    /// <summary>Gemm, Softmax and ArgMax of the standard operators, which every runtime has. Also gives the logits.</summary>
    StandardOperators,

    /// <summary>One LinearClassifier of the ai.onnx.ml operators, as converters of scikit-learn write it.</summary>
    LinearClassifier,
}
