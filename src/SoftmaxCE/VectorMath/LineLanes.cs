using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary><see cref="LineRows"/> over a <see cref="LaneBlock"/>: weighted sums of loss, dloss/dt and d²loss/dt² where logits move by t d.</summary>
internal unsafe struct LineLanes : IVectorKernel<double>
{
    /// <summary>[classes, stride]: logits, already moved; destroyed.</summary>
    public required double* Logits;

    /// <summary>d, [classes, stride]; null for 0.</summary>
    public required double* Direction;

    public required int Stride;

    /// <summary>One per row.</summary>
    public required int* Labels;

    /// <summary>One per row; null for all 1.</summary>
    public required double* Weights;

    public required int RowCount;
    public required int ClassCount;

    /// <summary>Loss, slope and curvature, added to.</summary>
    public required double* Sums;

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    public readonly void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* sums = stackalloc double[3 * LaneBlock.Lanes], labels = stackalloc double[2 * Stride], weights = labels + Stride;
        double* results = stackalloc double[(LaneExponentials.Results + 1) * TSimd.Lanes], losses = results + (LaneExponentials.Results * TSimd.Lanes);
        new Span<double>(sums, 3 * LaneBlock.Lanes).Clear();
        LaneExponentials.Spread(Labels, Weights, RowCount, Stride, labels, weights);
        for (int i = 0; i < RowCount; i += TSimd.Lanes)
        {
            int lane = i % LaneBlock.Lanes;
            LaneExponentials.Of<TSimd, TVector>(Logits + i, Stride, ClassCount, labels + i, results);
            LaneExponentials.Losses<TSimd, TVector>(results, losses);
            LaneExponentials.Add<TSimd, TVector>(sums + lane, TSimd.Multiply(TSimd.Load(ref weights[i], 0), TSimd.Load(ref *losses, 0)));
            if (Direction != null) Derivatives<TSimd, TVector>(i, labels + i, weights + i, results, sums + lane);
        }

        for (int k = 0; k < 3; k++) Sums[k] += LaneBlock.Sum(sums + (k * LaneBlock.Lanes));
    }

    /// <summary>Mean and variance of d − d[label] under the probabilities.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void Derivatives<TSimd, TVector>(int first, double* labels, double* weights, double* results, double* sums)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* e = Logits + first, d = Direction + first;
        nint stride = Stride;
        int classes = ClassCount;
        TVector zero = TSimd.Create(0), label = TSimd.Load(ref *labels, 0), origin = zero, mean = zero, square = zero;
        for (int c = 0; c < classes; c++) origin = TSimd.Select(TSimd.Equal(label, TSimd.Create(c)), TSimd.Load(ref d[c * stride], 0), origin);
        for (int c = 0; c < classes; c++, e += stride, d += stride)
        {
            TVector relative = TSimd.Subtract(TSimd.Load(ref *d, 0), origin), weighted = TSimd.Multiply(TSimd.Load(ref *e, 0), relative);
            mean = TSimd.Add(mean, weighted);
            square = TSimd.MultiplyAdd(weighted, relative, square);
        }

        TVector total = TSimd.Add(TSimd.Load(ref *results, 0), TSimd.Load(ref *results, (nuint)TSimd.Lanes)), weight = TSimd.Load(ref *weights, 0);
        TVector slope = TSimd.Divide(mean, total), curvature = TSimd.Subtract(TSimd.Divide(square, total), TSimd.Multiply(slope, slope));
        LaneExponentials.Add<TSimd, TVector>(sums + LaneBlock.Lanes, TSimd.Multiply(weight, slope));
        LaneExponentials.Add<TSimd, TVector>(sums + (2 * LaneBlock.Lanes), TSimd.Multiply(weight, curvature));
    }
}

/// <summary>z += t d + shifts over a <see cref="LaneBlock"/>.</summary>
internal unsafe struct MoveLanes : IVectorKernel<double>
{
    /// <summary>z, [classes, stride].</summary>
    public required double* Logits;

    /// <summary>d, [classes, stride]; null for 0.</summary>
    public required double* Direction;

    /// <summary>One per class; null for 0.</summary>
    public required double* Shifts;

    public required double Position;
    public required int Stride;
    public required int ClassCount;

    [MethodImpl(LoopMethod.Compiled)]
    public readonly void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector t = TSimd.Create(Position);
        for (int c = 0; c < ClassCount; c++)
        {
            double* z = Logits + ((long)c * Stride), d = Direction == null ? null : Direction + ((long)c * Stride);
            TVector shift = TSimd.Create(Shifts == null ? 0 : Shifts[c]);
            for (int i = 0; i < Stride; i += TSimd.Lanes)
            {
                TVector moved = TSimd.Load(ref z[i], 0);
                if (d != null) moved = TSimd.MultiplyAdd(t, TSimd.Load(ref d[i], 0), moved);
                TSimd.Store(ref z[i], 0, TSimd.Add(moved, shift));
            }
        }
    }
}
