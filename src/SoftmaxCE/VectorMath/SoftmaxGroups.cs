using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Rows of less than two vectors: groups of them are transposed, so that a vector holds one class of each. The bits stay those of a single row.</summary>
/// <remarks>
/// What is done to one group is a chain of operations that wait for each other, and longer than what a processor looks ahead. So some groups go through it
/// step by step together. No lane needs another one, so a vector is one register here (<see cref="ISimd{TVector,T}.RunOnRegister"/>).
/// </remarks>
internal unsafe struct SoftmaxGroups<T>(T* logits, T* destination, nint firstRow, nint endRow, int classCount, RowResult result) : IVectorKernel<T>
    where T : unmanaged
{
    private const int MostGroups = 4;

    /// <summary>With more classes little is lost to the last vectors of rows, which overlap the ones before: <see cref="RowBatch"/>.</summary>
    public static int MostClasses => (2 * WholeVector.Lanes<T>()) - 2;

    /// <summary>The first row behind the whole groups.</summary>
    public nint Next { get; private set; } = firstRow;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (endRow - Next < TSimd.Lanes) return;
        if (classCount <= WholeVector.Lanes<T>()) Run<TSimd, TVector, OneVector>();
        else Run<TSimd, TVector, TwoVectors>();
    }

    [SkipLocalsInit]
    [MethodImpl(LoopMethod.Compiled)]
    private void Run<TSimd, TVector, TLength>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TLength : struct, ILength
    {
        int lanes = TSimd.Lanes, size = GroupSize(lanes), most = (int)nint.Min(MostGroups, (endRow - Next) / lanes);
        T* memory = stackalloc T[(most * size) + ((TLength.IsOne ? most : 1) * 2 * size) + (3 * most * lanes) + WholeVector.Lanes<T>()];
        T* groups = (T*)WholeVector.Align((byte*)memory), exponentials = groups + (most * size), maxima = exponentials + ((TLength.IsOne ? most : 1) * 2 * size);
        Rows rows = new(groups, size, maxima, lanes, most);
        double* numbers = stackalloc double[result == RowResult.Softmax ? 0 : RowLogs<T>.NumbersFor(most * lanes)];
        while (true)
        {
            rows.Groups = (int)nint.Min(most, (endRow - Next) / lanes);
            if (rows.Groups == 0) return;
            for (int i = 0; i < rows.Groups; i++) TSimd.Store(ref *rows.Maxima(i), 0, Load<TSimd, TVector, TLength>(Next + (i * lanes), rows.Group(i)));
            if (result == RowResult.Softmax) Softmax<TSimd, TVector, TLength>(rows, exponentials);
            else Logs<TSimd, TVector, TLength>(rows, exponentials, new RowLogs<T>(numbers, rows.Groups * lanes));
            for (int i = 0; i < rows.Groups && result != RowResult.LogSumExp; i++) Store<TLength>(rows.Group(i), lanes, destination + ((Next + (i * lanes)) * classCount));
            Next += rows.Groups * lanes;
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void Softmax<TSimd, TVector, TLength>(in Rows rows, T* exponentials)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TLength : struct, ILength
    {
        for (int i = 0; i < rows.Groups; i++)
        {
            TVector max = TSimd.Load(ref *rows.Maxima(i), 0);
            SoftmaxColumns.Factors<TVector> factors = TLength.IsOne
                ? SoftmaxColumns.ExponentialsOfFew<TSimd, TVector, T>(rows.Group(i), TSimd.Lanes, classCount, max, exponentials + (i * 2 * rows.Size))
                : SoftmaxColumns.ExponentialsOfMore<TSimd, TVector, T>(rows.Group(i), classCount, max, exponentials);
            TSimd.Store(ref *rows.Factors(i), 0, factors.Factor);
            TSimd.Store(ref *rows.Lows(i), 0, factors.Low);
        }

        for (int i = 0; i < rows.Groups; i++)
        {
            SoftmaxColumns.Factors<TVector> factors = new(TSimd.Load(ref *rows.Factors(i), 0), TSimd.Load(ref *rows.Lows(i), 0));
            if (TLength.IsOne) SoftmaxColumns.ScaleFew<TSimd, TVector, T>(exponentials + (i * 2 * rows.Size), classCount, factors, rows.Group(i), TSimd.Lanes);
            else SoftmaxColumns.ScaleMore<TSimd, TVector, T>(rows.Group(i), classCount, factors);
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void Logs<TSimd, TVector, TLength>(in Rows rows, T* scratch, RowLogs<T> logs)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TLength : struct, ILength
    {
        for (int i = 0; i < rows.Groups; i++)
        {
            TVector max = TSimd.Load(ref *rows.Maxima(i), 0);
            RowLogs<T> ofGroup = logs.From(i * TSimd.Lanes);
            if (TLength.IsOne) ofGroup.SumFew<TSimd, TVector>(result, rows.Group(i), classCount, max);
            else ofGroup.SumMore<TSimd, TVector>(rows.Group(i), classCount, max, scratch);
        }

        if (result == RowResult.LogSumExp)
        {
            TakeLogSumExp<TSimd, TVector>(logs, rows);
            return;
        }

        if (TLength.IsOne) logs.LogAboveMaximum(rows.Factors(0));
        else TakeLogs(logs, rows);
        for (int i = 0; i < rows.Groups; i++)
        {
            TVector max = TSimd.Load(ref *rows.Maxima(i), 0), log = TSimd.Load(ref *rows.Factors(i), 0);
            SoftmaxColumns.LogProbabilities<TSimd, TVector, T>(rows.Group(i), classCount, max, log);
        }
    }

    /// <summary>A vector per class, and what a transposition may read behind the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int GroupSize(int lanes) => Math.Max(classCount * lanes, WholeVector.Lanes<T>() * lanes) + (classCount > WholeVector.Lanes<T>() ? GroupTranspose.Slack(lanes) : 0);

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void TakeLogSumExp<TSimd, TVector>(RowLogs<T> logs, in Rows rows)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        T* values = destination + Next;
        logs.LogSumExp(values);
        bool anyInfinite = false;
        for (int i = 0; i < rows.Groups; i++) anyInfinite |= SoftmaxColumns.AnyInfinite<TSimd, TVector, T>(TSimd.Load(ref *rows.Maxima(i), 0));
        for (int row = 0; anyInfinite && row < logs.Rows; row++)
        {
            if (double.IsNaN(Element.ToDouble(values[row]))) values[row] = SoftmaxKernel.WithoutSum(logits + ((Next + row) * classCount), (nuint)classCount);
        }
    }

    /// <summary>The logarithms of the sums in units of the maxima's exponentials; confident rows have theirs from a pass of their own.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void TakeLogs(RowLogs<T> logs, in Rows rows)
    {
        T* results = rows.Factors(0), maxima = rows.Maxima(0);
        logs.LogOfSums(results);
        for (int row = 0; row < logs.Rows; row++)
        {
            CompensatedSum sum = new() { High = logs.High[row], Low = logs.Low[row] };
            if (!SoftmaxKernel.IsConfident<T>(sum.Value)) continue;
            ConfidentRow<T> confident = new(logits + ((Next + row) * classCount), (nuint)classCount, maxima[row], sum);
            VectorWidth.Run<ConfidentRow<T>, T>(ref confident);
            results[row] = confident.Log;
        }
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly void Store<TLength>(T* group, int lanes, T* target)
        where TLength : struct, ILength
    {
        if (TLength.IsOne) SimdTranspose.Block(group, lanes, classCount, lanes, GroupSize(lanes), target, classCount, (nint)lanes * classCount);
        else GroupTranspose.Back(group, lanes, classCount, target, lanes);
    }

    /// <summary>The logits of a group, a vector per class; returns the maxima.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly TVector Load<TSimd, TVector, TLength>(nint row, T* group)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TLength : struct, ILength
    {
        int lanes = TSimd.Lanes;
        nint at = row * classCount, valuesLeft = (endRow * classCount) - at;
        if (TLength.IsOne) SimdTranspose.Block(logits + at, classCount, lanes, classCount, valuesLeft, group, lanes, GroupSize(lanes));
        else GroupTranspose.Into(logits + at, valuesLeft, lanes, classCount, group, lanes);
        return SoftmaxColumns.Max<TSimd, TVector, T>(group, TSimd.Lanes, classCount);
    }

    /// <summary>Groups of rows, a vector per class, and for each row its maximum and two more numbers.</summary>
    private struct Rows(T* groups, int size, T* maxima, int lanes, int mostGroups)
    {
        public int Groups { get; set; }

        public readonly int Size => size;

        public readonly T* Group(int index) => groups + (index * size);

        public readonly T* Maxima(int index) => maxima + (index * lanes);

        public readonly T* Factors(int index) => Maxima(mostGroups + index);

        public readonly T* Lows(int index) => Maxima((2 * mostGroups) + index);
    }

    /// <summary>Whether a row fits one vector; apart from each other at compile time.</summary>
    private interface ILength
    {
        static abstract bool IsOne { get; }
    }

    private readonly struct OneVector : ILength
    {
        public static bool IsOne => true;
    }

    private readonly struct TwoVectors : ILength
    {
        public static bool IsOne => false;
    }
}

/// <summary><see cref="SoftmaxKernel.LogAboveMaximum"/> of one row, in whole vectors.</summary>
internal unsafe struct ConfidentRow<T>(T* logits, nuint count, T max, CompensatedSum sum) : IVectorKernel<T>
    where T : unmanaged
{
    public T Log { get; private set; }

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct =>
        Log = Element.FromDouble<T>(SoftmaxKernel.LogAboveMaximum<TSimd, TVector, T>(logits, count, new(max, Element.FromDouble<T>(1)), sum));
}
