using System.Numerics;
using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>
/// Binary cross-entropy of logits: w [v t ln(1 + e^−x) + (1 − t) ln(1 + e^x)] and its derivative w [(1 − t) σ(x) − v t σ(−x)].
/// </summary>
/// <remarks>
/// With e = e^−|x| both logarithms are max(±x, 0) + log1p(e), and σ(±x) are e/(1 + e) and 1/(1 + e): no term is a difference of large
/// numbers, so a confident and right logit keeps all digits of its loss and derivative.
/// </remarks>
internal unsafe struct BinaryCrossEntropyKernel<T> : IVectorKernel<T>, ILaneKernel<T>
    where T : unmanaged
{
    public T* Logits;
    public T* Targets;

    /// <summary>Weight w of each element; null: 1.</summary>
    public T* Weights;

    /// <summary>Weight v of the positive class, one per column and a whole vector of them again behind the last; null: 1.</summary>
    public T* PositiveWeights;

    public int Columns;

    /// <summary>The column of the first element.</summary>
    public int FirstColumn;

    public int Count;
    public double GradientScale;

    /// <summary>May be the memory of <see cref="Logits"/>; null: not wanted.</summary>
    public T* Gradient;

    public T* Losses;

    private LaneSum<T> _losses;
    private int _correct;

    /// <summary>Σ of the losses, and how many logits are on the side of their target.</summary>
    public readonly CrossEntropyTotals Totals => new() { Loss = _losses.Total.Value, Correct = _correct };

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => TSimd.RunLanes(ref this, 0);

    [MethodImpl(LoopMethod.Apart)]
    public void Run<TSimd, TVector>(int firstLane)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int lanes = WholeVector.Lanes<T>(), i = firstLane, correct = 0;
        TVector losses = TSimd.Create(default), lossesRest = losses;
        for (; i + TSimd.Lanes <= Count; i += lanes)
        {
            correct += Take<TSimd, TVector>(i, TSimd.Lanes, true, ref losses, ref lossesRest);
        }

        if (i < Count) correct += Take<TSimd, TVector>(i, Count - i, false, ref losses, ref lossesRest);
        _losses.Set<TSimd, TVector>(firstLane, losses, lossesRest);
        _correct += correct;
    }

    /// <summary>Loss and gradient of one vector; returns how many logits are on the side of their target.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int Take<TSimd, TVector>(int i, int here, bool isWhole, ref TVector losses, ref TVector lossesRest)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default), one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0);
        TVector x = Load<TSimd, TVector>(Logits, i, here, isWhole, zero), t = Load<TSimd, TVector>(Targets, i, here, isWhole, one);
        TVector positive = PositiveWeights == null ? t : TSimd.Multiply(TSimd.Load(ref *PositiveWeights, (nuint)((FirstColumn + i) % Columns)), t);
        TVector negative = TSimd.Subtract(one, t);
        TVector e = ExpPolynomial.OfNonPositive<TSimd, TVector, T>(TSimd.Subtract(zero, TSimd.Abs(x)));
        TVector log = LogPolynomial.Log1p<TSimd, TVector, T>(e);
        TVector loss = TSimd.Add(
            Times<TSimd, TVector>(positive, TSimd.Add(TSimd.Max(TSimd.Subtract(zero, x), zero), log)),
            Times<TSimd, TVector>(negative, TSimd.Add(TSimd.Max(x, zero), log)));
        if (Weights != null) loss = Times<TSimd, TVector>(Load<TSimd, TVector>(Weights, i, here, isWhole, zero), loss);
        if (!isWhole) loss = TSimd.Select(TSimd.LessThan(TSimd.Indices(0), TSimd.Create(Element.FromDouble<T>(here))), loss, zero);
        TSimd.AddWide(ref losses, ref lossesRest, loss);
        if (Losses != null) Store<TSimd, TVector>(Losses, i, here, isWhole, loss);

        TVector half = ExpPolynomial.Constant<TSimd, TVector, T>(0.5f, 0.5);
        uint isOff = TSimd.Bits(TSimd.LessThan(zero, x)) ^ TSimd.Bits(TSimd.LessThan(half, t));
        int correct = here - BitOperations.PopCount(isOff & (uint)((1UL << here) - 1));
        if (Gradient == null) return correct;

        TVector onSide = TSimd.Divide(one, TSimd.Add(one, e)), offSide = TSimd.Multiply(e, onSide);
        TVector isNegative = TSimd.LessThan(x, zero);
        TVector slope = TSimd.Subtract(
            TSimd.Multiply(negative, TSimd.Select(isNegative, offSide, onSide)),
            TSimd.Multiply(positive, TSimd.Select(isNegative, onSide, offSide)));
        TVector scale = TSimd.Create(Element.FromDouble<T>(GradientScale));
        if (Weights != null) scale = TSimd.Multiply(Load<TSimd, TVector>(Weights, i, here, isWhole, zero), scale);
        Store<TSimd, TVector>(Gradient, i, here, isWhole, Times<TSimd, TVector>(scale, slope));
        return correct;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Load<TSimd, TVector>(T* source, int i, int here, bool isWhole, TVector fill)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => isWhole ? TSimd.Load(ref *source, (nuint)i) : TSimd.LoadPartial(source + i, here, fill);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd, TVector>(T* destination, int i, int here, bool isWhole, TVector value)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (isWhole) TSimd.Store(ref *destination, (nuint)i, value);
        else TSimd.StorePartial(destination + i, here, value);
    }

    /// <summary>weight · value, and 0 where the weight is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Times<TSimd, TVector>(TVector weight, TVector value)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default);
        return TSimd.Select(TSimd.Equal(weight, zero), zero, TSimd.Multiply(weight, value));
    }
}
