using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Knuth's error-free addition: left + right = sum + lost exactly (while nothing overflows).</summary>
internal static class TwoSum
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Add<TSimd, TVector, T>(TVector left, TVector right, out TVector lost)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector sum = TSimd.Add(left, right);
        TVector seen = TSimd.Subtract(sum, left);
        lost = TSimd.Add(TSimd.Subtract(left, TSimd.Subtract(sum, seen)), TSimd.Subtract(right, seen));
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Subtract<TSimd, TVector, T>(TVector left, TVector right, out TVector lost)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        TVector difference = TSimd.Subtract(left, right);
        TVector seenLeft = TSimd.Add(difference, right);
        lost = TSimd.Add(TSimd.Subtract(left, seenLeft), TSimd.Subtract(TSimd.Subtract(seenLeft, difference), right));
        return difference;
    }
}
