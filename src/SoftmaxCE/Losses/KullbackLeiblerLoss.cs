using System.Numerics;

namespace SoftmaxCE;

/// <summary>Kullback-Leibler divergence of a model distribution q from a true one p, row by row, with the gradient for the model.</summary>
/// <remarks>
/// <para>D(p || q) = Σ p[c] ln(p[c] / q[c]) in nats. The model is given as log-probabilities, probabilities or logits:</para>
/// <list type="table">
/// <listheader><term>Method</term><description>loss · gradient · elsewhere</description></listheader>
/// <item><term><see cref="Evaluate"/></term><description>Σ p (ln p − ln q) · for ln q: −p · PyTorch <c>kl_div(input: ln q, target: p)</c></description></item>
/// <item><term><see cref="EvaluateProbabilities"/></term><description>Σ p ln(p/q) · for q: −p/q · SciPy <c>rel_entr(p, q).sum()</c></description></item>
/// <item><term><see cref="EvaluateLogits"/></term><description>p = softmax(y), q = softmax(z) · for z: q − p · PyTorch <c>kl_div(log_softmax(z), log_softmax(y), log_target=True)</c></description></item>
/// </list>
/// <para>
/// Reductions: <see cref="KullbackLeiblerReduction"/>, PyTorch's "mean" (<see cref="KullbackLeiblerReduction.MeanOverElements"/>), "batchmean"
/// (<see cref="KullbackLeiblerReduction.MeanOverRows"/>, the default here) and "sum"; ONNX has no such loss. PyTorch's "none" is <c>rowLosses</c> with a class count of 1, which makes every element a row.
/// For distillation at temperature τ divide both sets of logits by τ, and the gradient once more.
/// </para>
/// <para>
/// Entries are taken as given, not renormalised and not clipped. 0 · ln 0 is 0; p &gt; 0 where q is 0 gives +∞, and its derivative −∞. From
/// probabilities and from logits the divergence keeps its relative accuracy where p is next to q, where Σ p (ln p − ln q) is nothing but rounding.
/// The same bits on any vector width and any number of threads.
/// </para>
/// </remarks>
public sealed record KullbackLeiblerLoss
{
    /// <summary>Default <see cref="KullbackLeiblerReduction.MeanOverRows"/>.</summary>
    public KullbackLeiblerReduction Reduction { get; init; } = KullbackLeiblerReduction.MeanOverRows;

    /// <summary>How many threads may share the rows, at least 1, or −1 for all processors; the result does not depend on it. Default 1.</summary>
    public int MaxDegreeOfParallelism { get; init; } = 1;

    /// <summary>D(p || q) from probabilities p and log-probabilities ln q.</summary>
    /// <typeparam name="T">Any IEEE type; all compute in double.</typeparam>
    /// <param name="p">True distributions, [rows, classes]; entries at least 0.</param>
    /// <param name="logQ">Logarithms of the model's probabilities, same shape.</param>
    /// <param name="classCount">Classes per row.</param>
    /// <param name="gradient">Receives ∂loss/∂logQ = −p, scaled like the loss; may be the memory of <paramref name="logQ"/>. Empty: not wanted.</param>
    /// <param name="rowLosses">Receives the divergence of each row. Empty: not wanted.</param>
    /// <returns>Correct is a row whose largest logQ is at the largest p (the lowest class wins a tie).</returns>
    /// <exception cref="ArgumentException">An input is empty, lengths do not fit, or an output overlaps an input.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry of <paramref name="p"/> is negative (the message names its index).</exception>
    public LossResult Evaluate<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> logQ, int classCount, Span<T> gradient = default, Span<T> rowLosses = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(p, logQ, classCount, ref gradient, ref rowLosses, nameof(logQ));
        LossArguments.NotNegative(p);
        return Run(KullbackLeiblerForm.LogProbabilities, p, logQ, classCount, gradient, rowLosses);
    }

    /// <summary>D(p || q) from probabilities.</summary>
    /// <typeparam name="T">Any IEEE type; all compute in double.</typeparam>
    /// <param name="p">True distributions, [rows, classes]; entries at least 0.</param>
    /// <param name="q">The model's distributions, same shape; entries at least 0.</param>
    /// <param name="classCount">Classes per row.</param>
    /// <param name="gradient">Receives ∂loss/∂q = −p/q, scaled like the loss; may be the memory of <paramref name="q"/>. Empty: not wanted.</param>
    /// <param name="rowLosses">Receives the divergence of each row. Empty: not wanted.</param>
    /// <returns>Correct is a row whose largest q is at the largest p (the lowest class wins a tie).</returns>
    /// <exception cref="ArgumentException">An input is empty, lengths do not fit, or an output overlaps an input.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry is negative (the message names its index).</exception>
    public LossResult EvaluateProbabilities<T>(
        ReadOnlySpan<T> p, ReadOnlySpan<T> q, int classCount, Span<T> gradient = default, Span<T> rowLosses = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(p, q, classCount, ref gradient, ref rowLosses, nameof(q));
        LossArguments.NotNegative(p);
        LossArguments.NotNegative(q);
        return Run(KullbackLeiblerForm.Probabilities, p, q, classCount, gradient, rowLosses);
    }

    /// <summary>D(softmax(logitsP) || softmax(logitsQ)), as for distilling one model into another.</summary>
    /// <typeparam name="T">Any IEEE type; all compute in double.</typeparam>
    /// <param name="logitsP">Logits (or log-probabilities) of the true distributions, [rows, classes].</param>
    /// <param name="logitsQ">The model's logits, same shape.</param>
    /// <param name="classCount">Classes per row.</param>
    /// <param name="gradient">Receives ∂loss/∂logitsQ = q − p, scaled like the loss; may be the memory of <paramref name="logitsQ"/>. Empty: not wanted.</param>
    /// <param name="rowLosses">Receives the divergence of each row. Empty: not wanted.</param>
    /// <returns>Correct is a row whose largest logits are at the same class (the lowest class wins a tie).</returns>
    /// <exception cref="ArgumentException">An input is empty, lengths do not fit, or an output overlaps an input.</exception>
    public LossResult EvaluateLogits<T>(
        ReadOnlySpan<T> logitsP, ReadOnlySpan<T> logitsQ, int classCount, Span<T> gradient = default, Span<T> rowLosses = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(logitsP, logitsQ, classCount, ref gradient, ref rowLosses, nameof(logitsQ));
        return Run(KullbackLeiblerForm.Logits, logitsP, logitsQ, classCount, gradient, rowLosses);
    }

    private void Check<T>(ReadOnlySpan<T> p, ReadOnlySpan<T> q, int classCount, ref Span<T> gradient, ref Span<T> rowLosses, string nameOfQ)
    {
        Argument.NotEmpty(p);
        Argument.DividesInto(p.Length, classCount, nameof(p));
        Argument.SameLength(p.Length, q.Length, nameOfQ);
        Argument.Parallelism(MaxDegreeOfParallelism);
        LossArguments.Known(Reduction);
        gradient = LossArguments.Output(gradient, p.Length, q);
        rowLosses = LossArguments.Output(rowLosses, p.Length / classCount, default);
        Argument.Disjoint(p, gradient, nameof(gradient));
        Argument.Disjoint(p, rowLosses, nameof(rowLosses));
        Argument.Disjoint(q, rowLosses, nameof(rowLosses));
        Argument.Disjoint(gradient, rowLosses, nameof(rowLosses));
    }

    private LossResult Run<T>(KullbackLeiblerForm form, ReadOnlySpan<T> p, ReadOnlySpan<T> q, int classCount, Span<T> gradient, Span<T> rowLosses)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int rowCount = p.Length / classCount;
        double divisor = Reduction == KullbackLeiblerReduction.MeanOverElements ? p.Length : rowCount;
        double scale = Reduction == KullbackLeiblerReduction.Sum ? 1 : 1 / divisor;
        CrossEntropyTotals totals = KullbackLeiblerRows.Run(form, p, q, classCount, scale, gradient, rowLosses, MaxDegreeOfParallelism);
        return new(Reduction == KullbackLeiblerReduction.Sum ? totals.Loss : totals.Loss / divisor, divisor, rowCount, 0, totals.Correct);
    }
}
