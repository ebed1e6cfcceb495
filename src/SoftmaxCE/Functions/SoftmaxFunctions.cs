using System.Numerics;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax, its logarithm, log-sum-exp and the sigmoid, over spans, rows and tensors; and their derivatives.</summary>
/// <remarks>
/// <para>float and double run vector kernels, Half computes in float, every other IEEE type in double. Nothing is allocated.</para>
/// <para>A logit of −∞ has probability exactly 0 and log-probability −∞. When every logit is −∞, or one is +∞ or NaN, the whole row is NaN.</para>
/// <para>The destination may be the memory of the input itself; memory that overlaps it with a shift is refused.</para>
/// <para>The same input gives the same bits on any vector width and any number of threads.</para>
/// </remarks>
public static partial class SoftmaxFunctions
{
    /// <summary>Probabilities a[i] = e^z[i] / Σ e^z[j] of the logits z, computed with the largest logit subtracted, so that no logit is too large.</summary>
    /// <typeparam name="T">Any IEEE floating-point type.</typeparam>
    /// <param name="logits">The logits z of one row, at least one.</param>
    /// <param name="destination">Receives one probability per logit; longer is allowed. May be <paramref name="logits"/> itself.</param>
    /// <remarks>Error: at most 2 ulp per output for float and double where the output is a normal number. A shift of all logits changes nothing.</remarks>
    /// <exception cref="ArgumentException"><paramref name="logits"/> is empty, or <paramref name="destination"/> is too short or overlaps it with a shift.</exception>
    public static void Softmax<T>(ReadOnlySpan<T> logits, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckSpans(logits, destination);
        RowOperation.Run(RowResult.Softmax, logits, logits.Length, T.One, destination[..logits.Length], 1);
    }

    /// <summary>Probabilities e^(z[i]/t) / Σ e^(z[j]/t) at temperature t: below 1 sharper, above 1 flatter.</summary>
    /// <param name="logits">The logits z of one row, at least one.</param>
    /// <param name="temperature">t, finite and greater than 0.</param>
    /// <param name="destination">Receives one probability per logit; may be <paramref name="logits"/> itself.</param>
    /// <remarks>The division by t is made on z − max and carries its rounding error, so the error bound is that of temperature 1.</remarks>
    /// <exception cref="ArgumentException">As for <see cref="Softmax{T}(ReadOnlySpan{T}, Span{T})"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="temperature"/> is not finite or not greater than 0.</exception>
    public static void Softmax<T>(ReadOnlySpan<T> logits, T temperature, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckSpans(logits, destination);
        Argument.FiniteAndPositive(double.CreateTruncating(temperature), nameof(temperature));
        RowOperation.Run(RowResult.Softmax, logits, logits.Length, temperature, destination[..logits.Length], 1);
    }

    /// <summary>Log-probabilities ln a[i] = z[i] − ln Σ e^z[j].</summary>
    /// <param name="logits">The logits z of one row, at least one.</param>
    /// <param name="destination">Receives one log-probability per logit; may be <paramref name="logits"/> itself.</param>
    /// <remarks>Error: at most 4 ulp of each output, also where it is close to 0: logits {50, 0} give −1.93e-22 for the first class, not 0.</remarks>
    /// <exception cref="ArgumentException"><paramref name="logits"/> is empty, or <paramref name="destination"/> is too short or overlaps it with a shift.</exception>
    public static void LogSoftmax<T>(ReadOnlySpan<T> logits, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckSpans(logits, destination);
        RowOperation.Run(RowResult.LogSoftmax, logits, logits.Length, T.One, destination[..logits.Length], 1);
    }

    /// <summary>ln Σ e^z[i].</summary>
    /// <param name="logits">The values z, at least one.</param>
    /// <returns>
    /// The logarithm of the sum, within 1 ulp of max(|result|, 1) for float and double. −∞ when every value is −∞, +∞ when one is +∞,
    /// NaN when one is NaN.
    /// </returns>
    /// <exception cref="ArgumentException"><paramref name="logits"/> is empty.</exception>
    public static T LogSumExp<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(logits);
        T result = default;
        RowOperation.Run(RowResult.LogSumExp, logits, logits.Length, T.One, new Span<T>(ref result), 1);
        return result;
    }

    /// <summary>σ(z[i]) = 1 / (1 + e^−z[i]), element by element: the first output of softmax over the two logits {z[i], 0}.</summary>
    /// <param name="logits">The values z; may be empty.</param>
    /// <param name="destination">Receives one value per logit; may be <paramref name="logits"/> itself.</param>
    /// <remarks>σ(−∞) = 0, σ(+∞) = 1, σ(NaN) = NaN. Error: at most 2 ulp.</remarks>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short or overlaps <paramref name="logits"/> with a shift.</exception>
    public static void Sigmoid<T>(ReadOnlySpan<T> logits, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckDestination(logits, destination);
        ElementOperation.Run<T, SigmoidFunction<float>, SigmoidFunction<double>>(logits, destination);
    }

    /// <summary>ln σ(z[i]) = −ln(1 + e^−z[i]), element by element, without overflow: −1000 gives −1000.</summary>
    /// <param name="logits">The values z; may be empty.</param>
    /// <param name="destination">Receives one value per logit; may be <paramref name="logits"/> itself.</param>
    /// <remarks>−∞ gives −∞, +∞ gives 0, NaN gives NaN. Error: at most 4 ulp.</remarks>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short or overlaps <paramref name="logits"/> with a shift.</exception>
    public static void LogSigmoid<T>(ReadOnlySpan<T> logits, Span<T> destination)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckDestination(logits, destination);
        ElementOperation.Run<T, LogSigmoidFunction<float>, LogSigmoidFunction<double>>(logits, destination);
    }

    /// <summary>Softmax of every row of a row-major matrix.</summary>
    /// <param name="logits">[rows, classCount] logits, at least one row.</param>
    /// <param name="classCount">Values in a row.</param>
    /// <param name="destination">Receives [rows, classCount] probabilities; may be <paramref name="logits"/> itself.</param>
    /// <param name="maxDegreeOfParallelism">Threads to use at most; −1 for all. Any number gives the same bits.</param>
    /// <exception cref="ArgumentException">The lengths do not fit, or the spans overlap with a shift.</exception>
    public static void SoftmaxRows<T>(ReadOnlySpan<T> logits, int classCount, Span<T> destination, int maxDegreeOfParallelism = 1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckRows(logits, classCount, destination, maxDegreeOfParallelism);
        RowOperation.Run(RowResult.Softmax, logits, classCount, T.One, destination[..logits.Length], maxDegreeOfParallelism);
    }

    /// <summary>Log-softmax of every row of a row-major matrix.</summary>
    /// <inheritdoc cref="SoftmaxRows{T}(ReadOnlySpan{T}, int, Span{T}, int)"/>
    public static void LogSoftmaxRows<T>(ReadOnlySpan<T> logits, int classCount, Span<T> destination, int maxDegreeOfParallelism = 1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckRows(logits, classCount, destination, maxDegreeOfParallelism);
        RowOperation.Run(RowResult.LogSoftmax, logits, classCount, T.One, destination[..logits.Length], maxDegreeOfParallelism);
    }

    /// <summary>Log-sum-exp of every row of a row-major matrix.</summary>
    /// <param name="logits">[rows, classCount] logits, at least one row.</param>
    /// <param name="classCount">Values in a row.</param>
    /// <param name="destination">Receives one value per row; memory of its own.</param>
    /// <param name="maxDegreeOfParallelism">Threads to use at most; −1 for all. Any number gives the same bits.</param>
    /// <exception cref="ArgumentException">The lengths do not fit, or the spans overlap.</exception>
    public static void LogSumExpRows<T>(ReadOnlySpan<T> logits, int classCount, Span<T> destination, int maxDegreeOfParallelism = 1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Argument.NotEmpty(logits);
        Argument.DividesInto(logits.Length, classCount, nameof(logits));
        Argument.Parallelism(maxDegreeOfParallelism);
        int rowCount = logits.Length / classCount;
        Argument.FitsInto(rowCount, destination.Length);
        Argument.Disjoint(logits, destination);
        RowOperation.Run(RowResult.LogSumExp, logits, classCount, T.One, destination[..rowCount], maxDegreeOfParallelism);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CheckSpans<T>(ReadOnlySpan<T> logits, Span<T> destination)
    {
        Argument.NotEmpty(logits);
        CheckDestination(logits, destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CheckDestination<T>(ReadOnlySpan<T> logits, Span<T> destination)
    {
        Argument.FitsInto(logits.Length, destination.Length);
        Argument.SameStartOrDisjoint(logits, destination);
    }

    private static void CheckRows<T>(ReadOnlySpan<T> logits, int classCount, Span<T> destination, int maxDegreeOfParallelism)
    {
        Argument.NotEmpty(logits);
        Argument.DividesInto(logits.Length, classCount, nameof(logits));
        Argument.Parallelism(maxDegreeOfParallelism);
        Argument.FitsInto(logits.Length, destination.Length);
        Argument.SameStartOrDisjoint(logits, destination);
    }
}
