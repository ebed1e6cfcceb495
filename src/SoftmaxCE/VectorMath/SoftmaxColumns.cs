using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax down the lanes: as many rows as a vector has lanes at once, one class of each after the other.</summary>
/// <remarks>
/// For rows of few classes, whose time would go into sums over lanes and partial vectors, and for an axis that is not the last one, along
/// which neighbouring lines lie side by side. A row's result does not depend on its neighbours, and a row that fits one vector gets the very
/// bits it gets alone (<see cref="SoftmaxKernel.OneVector"/>): its exponentials are added in the order in which a vector's lanes are.
/// </remarks>
internal static unsafe class SoftmaxColumns
{
    /// <summary>Softmax in place of <paramref name="count"/> classes, each a vector of rows, <paramref name="stride"/> values apart.</summary>
    /// <param name="values">[count, stride]; the first vector of each is used.</param>
    /// <param name="stride">See <paramref name="values"/>.</param>
    /// <param name="count">Classes.</param>
    /// <param name="scratch">Room for two vectors per class when they fit a vector's lanes.</param>
    public static void Softmax<TSimd, TVector, T>(T* values, nint stride, int count, T* scratch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector max = RowPasses.Lowest<TSimd, TVector, T>();
        for (int c = 0; c < count; c++) max = TSimd.Max(TSimd.Load(ref *(values + (c * stride)), 0), max);
        TVector reach = TSimd.Create(Element.FromDouble<T>(FactoredExp.Reach<T>())), zero = TSimd.Create(default);
        TVector isFar = TSimd.LessThan(reach, TSimd.Abs(max));
        FactoredExp<TVector, T> exp = default;
        exp.SetMaximum<TSimd>(TSimd.Select(isFar, zero, max));
        if (TSimd.AnyGreater(TSimd.Abs(max), reach))
        {
            Run<TSimd, TVector, T, ShiftedExponential<TVector, T>>(new(exp, new(TSimd.Select(isFar, max, zero), zero, false)), values, stride, count, scratch);
        }
        else
        {
            Run<TSimd, TVector, T, DirectExponential<TVector, T>>(new(exp), values, stride, count, scratch);
        }
    }

    [SkipLocalsInit]
    private static void Run<TSimd, TVector, T, TExponential>(TExponential exponential, T* values, nint stride, int count, T* scratch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
        where TExponential : struct, IRowExponential<TVector, T>
    {
        TExponential exp = exponential;             // a local copy stays in registers
        if (count <= TSimd.Lanes)
        {
            // t and q overwrite nothing: they go to the scratch memory, their sums are found pair by pair from there.
            nint lanes = TSimd.Lanes;
            T* highs = stackalloc T[TSimd.Lanes * TSimd.Lanes], lows = stackalloc T[TSimd.Lanes * TSimd.Lanes];
            for (int c = 0; c < count; c++)
            {
                TVector t = exp.Split<TSimd>(TSimd.Load(ref *(values + (c * stride)), 0), out TVector q);
                TSimd.Store(ref *scratch, (nuint)(2 * c * lanes), t);
                TSimd.Store(ref *scratch, (nuint)(((2 * c) + 1) * lanes), q);
                TVector high = SplitSum.High<TSimd, TVector, T>(t);
                TSimd.Store(ref *highs, (nuint)(c * lanes), high);
                TSimd.Store(ref *lows, (nuint)(c * lanes), TSimd.MultiplyAdd(t, q, TSimd.Subtract(t, high)));
            }

            AddInPairs<TSimd, TVector, T>(highs, count);
            AddInPairs<TSimd, TVector, T>(lows, count);
            TVector factor = SplitSum.Reciprocal<TSimd, TVector, T>(TSimd.Load(ref *highs, 0), TSimd.Load(ref *lows, 0), out TVector factorLow);
            for (int c = 0; c < count; c++)
            {
                TVector t = TSimd.Load(ref *scratch, (nuint)(2 * c * lanes)), q = TSimd.Load(ref *scratch, (nuint)(((2 * c) + 1) * lanes));
                TSimd.Store(ref *(values + (c * stride)), 0, RowPasses.Scaled<TSimd, TVector, T>(t, q, factor, factorLow));
            }

            return;
        }

        TVector first = TSimd.Create(default), second = first;
        for (int c = 0; c < count;)
        {
            FactoredSum<TVector, T> sum = FactoredSum<TVector, T>.Create<TSimd>();
            for (int end = Math.Min(count, c + FactoredSum<TVector, T>.Capacity); c < end; c++)
            {
                T* place = values + (c * stride);
                TVector t = exp.Split<TSimd>(TSimd.Load(ref *place, 0), out TVector q);
                TSimd.Store(ref *place, 0, TSimd.MultiplyAdd(t, q, t));
                sum.Add<TSimd>(t, q);
            }

            sum.MoveInto<TSimd>(ref first, ref second);
        }

        Scale<TSimd, TVector, T>(values, stride, count, first, second);
    }

    /// <summary>The sum of <paramref name="count"/> vectors, at the place of the first: vector c with c + half, then quarter, … as lanes are added.</summary>
    private static void AddInPairs<TSimd, TVector, T>(T* vectors, int count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nint lanes = TSimd.Lanes;
        for (int half = TSimd.Lanes / 2; half > 0; half /= 2)
        {
            for (int c = 0; c < half && c + half < count; c++)
            {
                T* at = vectors + (c * lanes);
                TSimd.Store(ref *at, 0, TSimd.Add(TSimd.Load(ref *at, 0), TSimd.Load(ref *at, (nuint)(half * lanes))));
            }
        }
    }

    [SkipLocalsInit]
    private static void Scale<TSimd, TVector, T>(T* values, nint stride, int count, TVector first, TVector second)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        int lanes = TSimd.Lanes;
        double* sums = stackalloc double[lanes], lost = stackalloc double[lanes];
        T* factors = stackalloc T[2 * lanes];
        TSimd.StoreWide(first, second, sums, lost);
        for (int i = 0; i < lanes; i++) factors[i] = RowSum.Reciprocal(new() { High = sums[i], Low = lost[i] }, out factors[lanes + i]);
        TVector factor = TSimd.Load(ref *factors, 0), factorLow = TSimd.Load(ref *factors, (nuint)lanes);
        for (int c = 0; c < count; c++)
        {
            T* place = values + (c * stride);
            TVector e = TSimd.Load(ref *place, 0);
            TSimd.Store(ref *place, 0, TSimd.MultiplyAdd(e, factor, TSimd.Multiply(e, factorLow)));
        }
    }
}
