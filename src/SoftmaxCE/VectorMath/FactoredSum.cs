using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Sums of t (1 + q), lane by lane, to nearly twice the precision of T at half the price of adding in double.</summary>
/// <remarks>
/// The t are added to a number larger than all of them together can move out of its power of two: then what an addition rounds away is
/// t − (sum − before), exactly (Dekker's Fast2Sum), and the t q, which are small, are added up by a fused multiply-add.
/// </remarks>
internal struct FactoredSum<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    /// <summary>
    /// Additions before <see cref="MoveInto"/> is due. Where many large exponentials have come first, the t q of small ones get lost beside the sum of theirs: one
    /// at a time less than half a unit, together more. With 128 additions sums were off by up to 1.2 units of 2^-24, with these by a fifth of that.
    /// </summary>
    public const int Capacity = 32;

    private TVector _sum, _lost, _products;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FactoredSum<TVector, T> Create<TSimd>()
        where TSimd : struct, ISimd<TVector, T> => new() { _sum = Start<TSimd>(), _lost = TSimd.Create(default), _products = TSimd.Create(default) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add<TSimd>(TVector t, TVector q)
        where TSimd : struct, ISimd<TVector, T>
    {
        TVector sum = TSimd.Add(_sum, t);
        _lost = TSimd.Add(_lost, TSimd.Subtract(t, TSimd.Subtract(sum, _sum)));
        _sum = sum;
        _products = TSimd.MultiplyAdd(t, q, _products);
    }

    /// <summary>The sum of the t, rounded to multiples of 2^-15 of the largest exponential.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector High<TSimd>()
        where TSimd : struct, ISimd<TVector, T> => TSimd.Subtract(_sum, Start<TSimd>());

    /// <summary>What is left of the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TVector Low<TSimd>()
        where TSimd : struct, ISimd<TVector, T> => TSimd.Add(_lost, _products);

    /// <summary>Adds the sum to one in double (see <see cref="ISimd{TVector,T}.AddWide"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void MoveInto<TSimd>(ref TVector first, ref TVector second)
        where TSimd : struct, ISimd<TVector, T>
    {
        TSimd.AddWide(ref first, ref second, High<TSimd>());
        TSimd.AddWide(ref first, ref second, Low<TSimd>());
    }

    /// <summary>256 times the scale of the exponentials.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Start<TSimd>()
        where TSimd : struct, ISimd<TVector, T> =>
        ExpPolynomial.Constant<TSimd, TVector, T>(302231454903657293676544f, 348449143727040986586495598010130648530944.0);      // 2^78, 2^138
}
