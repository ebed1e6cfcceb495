using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Four vectors that take each step of a computation together.</summary>
internal readonly struct Four<TVector>(TVector a, TVector b, TVector c, TVector d)
    where TVector : struct
{
    public readonly TVector A = a;
    public readonly TVector B = b;
    public readonly TVector C = c;
    public readonly TVector D = d;
}

/// <summary>Operations on <see cref="Four{TVector}"/>, with constants that all four share as plain vectors.</summary>
internal static unsafe class Four
{
    /// <summary>Whether there are registers for it; a constant to the compiler. What is summed must not depend on it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Pays<TSimd, TVector, T>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged => typeof(T) == typeof(float) && TSimd.HasManyRegisters;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Four<TVector> Load<TSimd, TVector, T>(T* source)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes;
        return new(TSimd.Load(ref *source, 0), TSimd.Load(ref *source, lanes), TSimd.Load(ref *source, 2 * lanes), TSimd.Load(ref *source, 3 * lanes));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TSimd, TVector, T>(T* destination, Four<TVector> value)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged
    {
        nuint lanes = (nuint)TSimd.Lanes;
        TSimd.Store(ref *destination, 0, value.A);
        TSimd.Store(ref *destination, lanes, value.B);
        TSimd.Store(ref *destination, 2 * lanes, value.C);
        TSimd.Store(ref *destination, 3 * lanes, value.D);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Four<TVector> Add<TSimd, TVector, T>(Four<TVector> left, Four<TVector> right)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged =>
        new(TSimd.Add(left.A, right.A), TSimd.Add(left.B, right.B), TSimd.Add(left.C, right.C), TSimd.Add(left.D, right.D));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Four<TVector> Subtract<TSimd, TVector, T>(Four<TVector> left, TVector right)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged =>
        new(TSimd.Subtract(left.A, right), TSimd.Subtract(left.B, right), TSimd.Subtract(left.C, right), TSimd.Subtract(left.D, right));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Four<TVector> Multiply<TSimd, TVector, T>(Four<TVector> left, Four<TVector> right)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged =>
        new(TSimd.Multiply(left.A, right.A), TSimd.Multiply(left.B, right.B), TSimd.Multiply(left.C, right.C), TSimd.Multiply(left.D, right.D));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Four<TVector> MultiplyAdd<TSimd, TVector, T>(Four<TVector> left, TVector right, TVector addend)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged =>
        new(TSimd.MultiplyAdd(left.A, right, addend), TSimd.MultiplyAdd(left.B, right, addend),
            TSimd.MultiplyAdd(left.C, right, addend), TSimd.MultiplyAdd(left.D, right, addend));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Four<TVector> MultiplyAdd<TSimd, TVector, T>(Four<TVector> left, TVector right, Four<TVector> addend)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged =>
        new(TSimd.MultiplyAdd(left.A, right, addend.A), TSimd.MultiplyAdd(left.B, right, addend.B),
            TSimd.MultiplyAdd(left.C, right, addend.C), TSimd.MultiplyAdd(left.D, right, addend.D));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Four<TVector> MultiplyAdd<TSimd, TVector, T>(Four<TVector> left, Four<TVector> right, Four<TVector> addend)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged =>
        new(TSimd.MultiplyAdd(left.A, right.A, addend.A), TSimd.MultiplyAdd(left.B, right.B, addend.B),
            TSimd.MultiplyAdd(left.C, right.C, addend.C), TSimd.MultiplyAdd(left.D, right.D, addend.D));

    /// <summary>As <see cref="ISimd{TVector,T}.Max"/>: a NaN in <paramref name="right"/> passes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Four<TVector> Max<TSimd, TVector, T>(TVector left, Four<TVector> right)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where T : unmanaged =>
        new(TSimd.Max(left, right.A), TSimd.Max(left, right.B), TSimd.Max(left, right.C), TSimd.Max(left, right.D));
}
