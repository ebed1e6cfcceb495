namespace SoftmaxCE;

/// <summary>
/// The operations that vector kernels are written in, so that each kernel stands once and the hardware's width is a type argument.
/// </summary>
/// <remarks>
/// A kernel always sees a vector of 512 bits: 16 floats or 8 doubles. Hardware with narrower registers gets the same vector as a pair of
/// halves (<see cref="PairSimd{THalfSimd,THalf,T}"/>), down to single values. So a sum runs over the same lanes in the same order
/// everywhere, and results have the same bits at every width. Products that are added are fused on all of them.
/// </remarks>
/// <typeparam name="TVector">The vector, or pair of vectors.</typeparam>
/// <typeparam name="T">The element: float or double.</typeparam>
internal interface ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged
{
    /// <summary>Elements in one vector.</summary>
    static abstract int Lanes { get; }

    /// <summary>Whether the hardware has 32 registers of 512 bits: then a kernel can hold many vectors and constants. Other hardware counts on 16.</summary>
    static abstract bool HasManyRegisters { get; }

    /// <summary>Runs a kernel in which no lane needs another one, with vectors of one register.</summary>
    static abstract void RunOnRegister<TKernel>(ref TKernel kernel)
        where TKernel : struct, IVectorKernel<T>;

    static abstract TVector Create(T value);

    /// <summary>0, 1, 2, … in the lanes.</summary>
    static abstract TVector Indices(int first);

    static abstract TVector Load(ref readonly T source, nuint offset);

    static abstract void Store(ref T destination, nuint offset, TVector value);

    /// <summary>Writes to memory aligned to 64 bytes, not by way of the caches where the hardware can: for what nobody reads soon.</summary>
    static abstract unsafe void StorePastCaches(T* destination, TVector value);

    /// <summary>As many halves as there are lanes, exactly. For float alone; the lanes of double are meaningless.</summary>
    static abstract unsafe TVector LoadHalves(Half* source);

    /// <summary>Writes every lane as the nearest half, ties to even, subnormal ones included; 65,520 and above is infinite, NaN stays NaN. For float alone.</summary>
    static abstract unsafe void StoreHalves(Half* destination, TVector value);

    /// <summary>Reads <paramref name="count"/> (0 to Lanes) elements and nothing behind them; the other lanes are <paramref name="fill"/>.</summary>
    static abstract unsafe TVector LoadPartial(T* source, int count, TVector fill);

    /// <summary>Writes the first <paramref name="count"/> (0 to Lanes) elements and touches nothing behind them.</summary>
    static abstract unsafe void StorePartial(T* destination, int count, TVector value);

    /// <summary>destination[i] += value[i] in double, for every lane.</summary>
    static abstract unsafe void AddToDoubles(double* destination, TVector value);

    static abstract TVector Add(TVector left, TVector right);

    static abstract TVector Subtract(TVector left, TVector right);

    static abstract TVector Multiply(TVector left, TVector right);

    static abstract TVector Divide(TVector left, TVector right);

    /// <summary>left · right + addend, rounded once.</summary>
    static abstract TVector MultiplyAdd(TVector left, TVector right, TVector addend);

    /// <summary>addend − left · right, rounded once. With a constant factor, <see cref="MultiplyAdd"/> by its negative saves an instruction.</summary>
    static abstract TVector NegatedMultiplyAdd(TVector left, TVector right, TVector addend);

    /// <summary>left &gt; right ? left : right. A NaN in either gives <paramref name="right"/> (on Arm: NaN); kernels find NaN by their sums.</summary>
    static abstract TVector Max(TVector left, TVector right);

    /// <summary>left &lt; right ? left : right, with the NaN rule of <see cref="Max"/>.</summary>
    static abstract TVector Min(TVector left, TVector right);

    static abstract TVector Abs(TVector value);

    /// <summary>A mask: all bits set where true.</summary>
    static abstract TVector LessThan(TVector left, TVector right);

    static abstract TVector Equal(TVector left, TVector right);

    /// <summary>Per lane: mask ? whenTrue : whenFalse.</summary>
    static abstract TVector Select(TVector mask, TVector whenTrue, TVector whenFalse);

    /// <summary>value · 2^exponent, rounded once even when the result is subnormal.</summary>
    /// <param name="value">Magnitude in [1/2, 2].</param>
    /// <param name="exponent">Whole number in [−180, 60] for float, [−1500, 500] for double; anything else gives a meaningless lane.</param>
    static abstract TVector TimesPowerOfTwo(TVector value, TVector exponent);

    /// <summary>table[i] for the integer i in the low 3 bits of each lane.</summary>
    /// <param name="table">8 values, aligned to 64 bytes; for float another 8, the same ones.</param>
    /// <param name="index">The indices; higher bits do not matter.</param>
    static abstract unsafe TVector Lookup(T* table, TVector index);

    /// <summary>Adds to the bits of <paramref name="value"/> the integer in the low bits of <paramref name="integer"/>, in units of 1/8 of the exponent's last place.</summary>
    static abstract TVector AddEighths(TVector value, TVector integer);

    /// <summary>Writes a positive normal value as m · 2^exponent with m in [√½, √2).</summary>
    static abstract TVector SplitPowerOfTwo(TVector value, out TVector exponent);

    /// <summary>value · 2^−k, with the k that brings it between 2/3 and 3/2 of <paramref name="other"/>. Both are positive and normal.</summary>
    /// <param name="value">What is moved.</param>
    /// <param name="other">What it is moved to.</param>
    /// <param name="exponent">k for double; for float 2^23 k, what k adds to the bits: finding k itself would take another instruction.</param>
    static abstract TVector MoveBeside(TVector value, TVector other, out TVector exponent);

    /// <summary>Whether some lane of <paramref name="left"/> is greater; NaN is not.</summary>
    static abstract bool AnyGreater(TVector left, TVector right);

    /// <summary>Bit i is set where lane i of a mask is true.</summary>
    static abstract uint Bits(TVector mask);

    /// <summary>The largest lane (NaN rule of <see cref="Max"/>).</summary>
    static abstract T MaxOfLanes(TVector value);

    /// <summary>In every lane the sum of all: lane i with i + half, then quarter, …</summary>
    static abstract TVector AddAcross(TVector value);

    /// <summary>The sum of all lanes in double: lane i with i + half, then quarter, …, so that the width does not matter.</summary>
    static abstract double SumOfLanes(TVector value);

    /// <summary>Adds the lanes of <paramref name="value"/> to a sum with twice the precision of T or more.</summary>
    /// <param name="first">For float: the lower half of the lanes as doubles. For double: the sums.</param>
    /// <param name="second">For float: the upper half of the lanes as doubles. For double: what rounding took from the sums.</param>
    /// <param name="value">What to add.</param>
    static abstract void AddWide(ref TVector first, ref TVector second, TVector value);

    /// <summary>Adds one such sum to another, lane by lane.</summary>
    static abstract void MergeWide(ref TVector first, ref TVector second, TVector otherFirst, TVector otherSecond);

    /// <summary>Writes the lanes of such a sum: Lanes sums, and Lanes rounding errors of them.</summary>
    static abstract unsafe void StoreWide(TVector first, TVector second, double* sums, double* lost);

    /// <summary>The total of such a sum; lane i is added to lane i + half, then quarter, …, so that the width does not matter.</summary>
    static abstract CompensatedSum TotalOfWide(TVector first, TVector second);

    /// <summary>
    /// Runs a kernel that is told which lanes it works on, one register after the other, on the lanes of this vector. Unlike with
    /// <see cref="RunOnRegister"/>, a lane's values lie a whole vector apart, so that sums over lanes are those of whole vectors.
    /// </summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="firstLane">The number of this vector's first lane in the 512 bits.</param>
    static abstract void RunLanes<TKernel>(ref TKernel kernel, int firstLane)
        where TKernel : struct, ILaneKernel<T>;
}
