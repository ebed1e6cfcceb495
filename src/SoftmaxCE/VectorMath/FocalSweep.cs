using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Focal loss of a spread target: Σ u[c] (1 − p[c])^γ (−ln p[c]), in double, some classes at a time.</summary>
/// <remarks>
/// With h[c] = u[c] (1 − p[c])^γ (1 + γ p[c] (−ln p[c]) / (1 − p[c])) the gradient is p[j] Σ h − h[j]. A class whose logit is −∞ has gradient 0.
/// In a long row the terms are computed once for the sums and once more for the gradient: there is no memory to keep them in.
/// </remarks>
internal readonly unsafe struct FocalSweep<T>(
    T* logits, int count, T max, double temperature, double gamma, in CrossEntropyKernel<T>.SpreadTarget target, in PivotProbability pivot)
    where T : unmanaged
{
    private const int Part = 128;

    private readonly CrossEntropyKernel<T>.SpreadTarget _target = target;
    private readonly PivotProbability _pivot = pivot;

    /// <summary>Returns the loss, before the sample weight.</summary>
    /// <param name="zLoss">ζ of the row.</param>
    /// <param name="gradient">Receives <paramref name="scale"/> times the gradient; may be the logits; null: not wanted.</param>
    /// <param name="scale">See <paramref name="gradient"/>.</param>
    [SkipLocalsInit]
    public double Run(double zLoss, T* gradient, double scale)
    {
        double* probabilities = stackalloc double[Part], terms = stackalloc double[Part];
        CompensatedSum loss = default, slopes = default;
        for (int start = 0; start < count; start += Part)
        {
            FocalTermsKernel part = Terms(start, probabilities, terms);
            loss.Add(part.Loss);
            slopes.Add(part.Slopes);
        }

        double share = PivotShare, lse = _pivot.LogSumExp, ofZLoss = zLoss == 0 ? 0 : zLoss * lse;
        if (share != 0) loss.Add(share * Math.Pow(_pivot.Others, gamma) * _pivot.MinusLog);
        slopes.Add(PivotSlope);
        for (int start = 0; gradient != null && start < count; start += Part)
        {
            if (count > Part) Terms(start, probabilities, terms);
            WriteGradient(start, probabilities, terms, slopes.Value + (2 * ofZLoss), gradient, scale);
        }

        return loss.Value + (zLoss == 0 ? 0 : ofZLoss * lse);
    }

    /// <summary>Reads a logit before it writes its gradient, so that both may be the same memory.</summary>
    private void WriteGradient(int start, double* probabilities, double* terms, double sum, T* gradient, double scale)
    {
        int end = Math.Min(start + Part, count);
        for (int c = start; c < end; c++)
        {
            bool isPivot = c == _target.Pivot, masked = double.IsNegativeInfinity(Element.ToDouble(logits[c])) && !double.IsNaN(_pivot.Sum);
            double p = isPivot ? _pivot.Value : probabilities[c - start], slope = isPivot ? PivotSlope : terms[c - start];
            gradient[c] = Element.FromDouble<T>(masked ? 0 : scale * ((p * sum) - slope));
        }
    }

    private double PivotShare => Element.ToDouble(_target.Background[_target.Pivot]) + _target.Own;

    private double PivotSlope =>
        PivotShare == 0 ? 0 : PivotShare * CrossEntropyRow.FocalSlope(_pivot.Value, _pivot.Others, _pivot.MinusLog, gamma);

    /// <summary>p and h of the classes from <paramref name="start"/> on, without the pivot's, and their sums.</summary>
    private FocalTermsKernel Terms(int start, double* probabilities, double* terms)
    {
        int here = Math.Min(Part, count - start);
        for (int i = 0; i < here; i++)
        {
            probabilities[i] = Element.ToDouble(logits[start + i]);
            terms[i] = start + i == _target.Pivot ? 0 : Element.ToDouble(_target.Background[start + i]);
        }

        // Whole vectors; classes without a target add nothing.
        int padded = (here + 7) / 8 * 8;
        new Span<double>(probabilities + here, padded - here).Clear();
        new Span<double>(terms + here, padded - here).Clear();
        FocalTermsKernel kernel = new(probabilities, terms, padded)
        {
            Max = Element.ToDouble(max),
            Temperature = temperature,
            Gamma = gamma,
            Sum = _pivot.Sum,
            LogSum = _pivot.LogSum,
        };
        VectorWidth.Run<FocalTermsKernel, double>(ref kernel);
        return kernel;
    }
}

/// <summary>The part of <see cref="FocalSweep{T}"/> that runs in vectors: logits become probabilities p, and targets u the terms h.</summary>
internal unsafe struct FocalTermsKernel(double* logits, double* targets, int count) : IVectorKernel<double>
{
    public double Max;
    public double Temperature;
    public double Gamma;
    public double Sum;
    public double LogSum;

    /// <summary>Σ u (1 − p)^γ (−ln p), and Σ h.</summary>
    public double Loss;

    public double Slopes;

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* differences = stackalloc double[count], dampings = stackalloc double[count];
        Probabilities<TSimd, TVector>(differences);
        Logarithms<TSimd, TVector>(dampings);
        Exponentials<TSimd, TVector>(dampings);
        Terms<TSimd, TVector>(differences, dampings);
    }

    // Loops of their own: together they would be too large for the compiler to inline what they are made of.
    [MethodImpl(LoopMethod.Apart)]
    private readonly void Probabilities<TSimd, TVector>(double* differences)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector max = TSimd.Create(Max), temperature = TSimd.Create(Temperature), sum = TSimd.Create(Sum);
        for (nuint i = 0; i < (nuint)count; i += (nuint)TSimd.Lanes)
        {
            TVector difference = TSimd.Divide(TSimd.Subtract(TSimd.Load(ref *logits, i), max), temperature);
            TSimd.Store(ref *differences, i, difference);
            TSimd.Store(ref *logits, i, TSimd.Divide(ExpPolynomial.OfNonPositive<TSimd, TVector, double>(difference), sum));
        }
    }

    /// <summary>γ ln(1 − p).</summary>
    [MethodImpl(LoopMethod.Apart)]
    private readonly void Logarithms<TSimd, TVector>(double* logarithms)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0), gamma = TSimd.Create(Gamma);
        for (nuint i = 0; i < (nuint)count; i += (nuint)TSimd.Lanes)
        {
            TVector log = LogPolynomial.Log1p<TSimd, TVector, double>(TSimd.Subtract(zero, TSimd.Load(ref *logits, i)));
            TSimd.Store(ref *logarithms, i, TSimd.Multiply(gamma, log));
        }
    }

    [MethodImpl(LoopMethod.Apart)]
    private readonly void Exponentials<TSimd, TVector>(double* values)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        for (nuint i = 0; i < (nuint)count; i += (nuint)TSimd.Lanes)
        {
            TSimd.Store(ref *values, i, ExpPolynomial.OfNonPositive<TSimd, TVector, double>(TSimd.Load(ref *values, i)));
        }
    }

    [MethodImpl(LoopMethod.Apart)]
    private void Terms<TSimd, TVector>(double* differences, double* dampings)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector zero = TSimd.Create(0), one = TSimd.Create(1), gamma = TSimd.Create(Gamma), logSum = TSimd.Create(LogSum);
        TVector loss = zero, lossRest = zero, slopes = zero, slopesRest = zero;
        for (nuint i = 0; i < (nuint)count; i += (nuint)TSimd.Lanes)
        {
            TVector p = TSimd.Load(ref *logits, i), u = TSimd.Load(ref *targets, i), none = TSimd.Equal(u, zero), oneMinusP = TSimd.Subtract(one, p);
            TVector minusLog = TSimd.Subtract(logSum, TSimd.Load(ref *differences, i)), damped = TSimd.Multiply(u, TSimd.Load(ref *dampings, i));

            // p (−ln p) / (1 − p) is 0 at 0 and 1 at 1.
            TVector ratio = TSimd.Select(TSimd.Equal(oneMinusP, zero), one, TSimd.Divide(TSimd.Multiply(p, minusLog), oneMinusP));
            ratio = TSimd.Select(TSimd.Equal(p, zero), zero, ratio);
            TVector slope = TSimd.Select(none, zero, TSimd.Multiply(damped, TSimd.MultiplyAdd(gamma, ratio, one)));
            TSimd.AddWide(ref loss, ref lossRest, TSimd.Select(none, zero, TSimd.Multiply(damped, minusLog)));
            TSimd.AddWide(ref slopes, ref slopesRest, slope);
            TSimd.Store(ref *targets, i, slope);
        }

        Loss = TSimd.TotalOfWide(loss, lossRest).Value;
        Slopes = TSimd.TotalOfWide(slopes, slopesRest).Value;
    }
}
