using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>For each of four rising thresholds the sum of the values that reach it. Values are at least 0.</summary>
internal unsafe struct ThresholdMassKernel<T>(T* values, int count) : IVectorKernel<T>
    where T : unmanaged
{
    public const int Thresholds = 4;

    /// <summary>Vectors added in one chain before the totals get wider.</summary>
    private const int ChainVectors = 8;

    public fixed double At[Thresholds];

    public fixed double Masses[Thresholds];

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default);
        TVector t0 = Splat<TSimd, TVector>(0), t1 = Splat<TSimd, TVector>(1), t2 = Splat<TSimd, TVector>(2), t3 = Splat<TSimd, TVector>(3);
        TVector high0 = zero, low0 = zero, high1 = zero, low1 = zero, high2 = zero, low2 = zero, high3 = zero, low3 = zero;
        for (int i = 0; i < count;)
        {
            TVector s0 = zero, s1 = zero, s2 = zero, s3 = zero;
            for (int end = Math.Min(count, i + (ChainVectors * TSimd.Lanes)); i < end; i += TSimd.Lanes)
            {
                TVector e = i <= count - TSimd.Lanes ? TSimd.Load(ref *values, (nuint)i) : TSimd.LoadPartial(values + i, count - i, zero);
                s0 = TSimd.Add(s0, TSimd.Select(TSimd.LessThan(e, t0), zero, e));
                s1 = TSimd.Add(s1, TSimd.Select(TSimd.LessThan(e, t1), zero, e));
                s2 = TSimd.Add(s2, TSimd.Select(TSimd.LessThan(e, t2), zero, e));
                s3 = TSimd.Add(s3, TSimd.Select(TSimd.LessThan(e, t3), zero, e));
            }

            TSimd.AddWide(ref high0, ref low0, s0);
            TSimd.AddWide(ref high1, ref low1, s1);
            TSimd.AddWide(ref high2, ref low2, s2);
            TSimd.AddWide(ref high3, ref low3, s3);
        }

        Masses[0] = TSimd.TotalOfWide(high0, low0).Value;
        Masses[1] = TSimd.TotalOfWide(high1, low1).Value;
        Masses[2] = TSimd.TotalOfWide(high2, low2).Value;
        Masses[3] = TSimd.TotalOfWide(high3, low3).Value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Splat<TSimd, TVector>(int index)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => TSimd.Create(Element.FromDouble<T>(At[index]));
}
