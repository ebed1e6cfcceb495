namespace SoftmaxCE.Benchmarks;

/// <summary>
/// Mean cross-entropy of PyTorch's current CPU library, in this process: the operators that F.cross_entropy and its backward pass are made of, each with a
/// new tensor for its result, as autograd calls them, without autograd's own few microseconds.
/// </summary>
internal sealed class LibTorch : IDisposable
{
    // torch.nn.functional.cross_entropy: reduction 'mean', and the default of ignore_index.
    private const long Mean = 1;
    private const long IgnoreIndex = -100;

    private readonly TorchTensor[] _inputs;
    private readonly TorchTensor _labels;
    private readonly TorchTensor _one = TorchTensor.Of([1], []);
    private readonly TorchTensor _ones;

    /// <param name="threads">Of LibTorch, in all of this process.</param>
    /// <param name="labels">One per row.</param>
    /// <param name="inputs">Logits; or features, coefficients and intercepts.</param>
    public LibTorch(int threads, int[] labels, params TorchTensor[] inputs)
    {
        TorchTensor.SetThreads(threads);
        _inputs = inputs;
        _labels = TorchTensor.Of(labels);
        _ones = TorchTensor.Of([.. Enumerable.Repeat(1f, labels.Length)], labels.Length);
    }

    /// <summary>Loss and gradient of logits; returns the loss.</summary>
    public float CrossEntropy()
    {
        TorchTensor gradient = Gradient(_inputs[0].Argument(), out float loss);
        gradient.Dispose();
        return loss;
    }

    /// <summary>Loss of features × coefficientsᵀ + intercepts, and the three gradients; returns the loss.</summary>
    public float LinearCrossEntropy()
    {
        (TorchTensor features, TorchTensor coefficients, TorchTensor intercepts) = (_inputs[0], _inputs[1], _inputs[2]);
        TorchTensor logits = TorchTensor.Call("aten::linear", features.Argument(), coefficients.Argument(), TorchTensor.Optional(intercepts.Argument()));
        using TorchTensor gradient = Gradient(logits.Owned, out float loss), turned = TorchTensor.Call("aten::t", gradient.Argument());
        TorchTensor.Call("aten::mm", gradient.Argument(), coefficients.Argument()).Dispose();
        TorchTensor.Call("aten::mm", turned.Argument(), features.Argument()).Dispose();
        TorchTensor.Call("aten::mv", turned.Argument(), _ones.Argument()).Dispose();
        return loss;
    }

    public void Dispose()
    {
        foreach (TorchTensor tensor in (ReadOnlySpan<TorchTensor>)[.. _inputs, _labels, _one, _ones]) tensor.Dispose();
    }

    private TorchTensor Gradient(long logits, out float loss)
    {
        const long ClassAxis = 1, SameType = 0, NoWeights = 0;
        using TorchTensor logProbabilities = TorchTensor.Call("aten::_log_softmax", logits, ClassAxis, SameType);
        (TorchTensor mean, TorchTensor weight) =
            TorchTensor.CallForTwo("aten::nll_loss_forward", logProbabilities.Argument(), _labels.Argument(), NoWeights, Mean, IgnoreIndex);
        loss = mean.First;
        mean.Dispose();
        TorchTensor ofLosses = TorchTensor.Call(
            "aten::nll_loss_backward", _one.Argument(), logProbabilities.Argument(), _labels.Argument(), NoWeights, Mean, IgnoreIndex, weight.Owned);
        return TorchTensor.Call("aten::_log_softmax_backward_data", ofLosses.Owned, logProbabilities.Argument(), ClassAxis, TorchTensor.Float);
    }
}
