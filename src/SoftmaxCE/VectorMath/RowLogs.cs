using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Logarithms of the sums of some groups of as many rows as a vector has lanes, in vectors of double; what is needed of the rows lies in memory, as doubles.</summary>
/// <param name="numbers">Room for <see cref="NumbersFor"/> numbers.</param>
/// <param name="rows">How many rows.</param>
internal readonly unsafe struct RowLogs<T>(double* numbers, int rows)
    where T : unmanaged
{
    private const int Arrays = 4;

    /// <summary>The high and the low part of each row's sum: of all exponentials for log-sum-exp, of those below the maximum for log-softmax.</summary>
    public double* High => numbers;

    public double* Low => numbers + Room(rows);

    public int Rows => rows;

    /// <summary>The same from a row on: to take sums for a group.</summary>
    public RowLogs<T> From(int row) => new(numbers + row, rows);

    public static int NumbersFor(int rows) => Arrays * Room(rows);

    /// <summary>Few classes, a vector of rows per class: the sums that <paramref name="result"/> needs.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void SumFew<TSimd, TVector>(RowResult result, T* values, int count, TVector max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        if (result == RowResult.LogSumExp)
        {
            if (SoftmaxColumns.IsFar<TSimd, TVector, T>(max)) SumFew<TSimd, TVector, ShiftedExponential<TVector, T>, SplitColumnSum<TVector, T>>(values, count, max);
            else SumFew<TSimd, TVector, DirectExponential<TVector, T>, SplitColumnSum<TVector, T>>(values, count, max);
            SetThird<TSimd, TVector>(max);
            return;
        }

        if (SoftmaxColumns.IsFar<TSimd, TVector, T>(max)) SumFew<TSimd, TVector, ShiftedExponential<TVector, T>, OthersColumnSum<TVector, T>>(values, count, max);
        else SumFew<TSimd, TVector, DirectExponential<TVector, T>, OthersColumnSum<TVector, T>>(values, count, max);
        SetThird<TSimd, TVector>(CountOf<TSimd, TVector>(max, values, count));
    }

    /// <summary>More classes than a vector holds: the sums of all exponentials, and the maxima.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void SumMore<TSimd, TVector>(T* values, int count, TVector max, T* scratch)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector second, first = SoftmaxColumns.IsFar<TSimd, TVector, T>(max)
            ? ColumnSums.OfMore<TSimd, TVector, T, ShiftedExponential<TVector, T>, RowPasses.Dropped>(values, count, max, scratch, out second)
            : ColumnSums.OfMore<TSimd, TVector, T, DirectExponential<TVector, T>, RowPasses.Dropped>(values, count, max, scratch, out second);
        SplitColumnSum<TVector, T>.Store<TSimd>(first, second, High, Low, Scratch);
        SetThird<TSimd, TVector>(max);
    }

    /// <summary>Each row's maximum for log-sum-exp, how many entries equal it for log-softmax.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void SetThird<TSimd, TVector>(TVector value)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct => ColumnSums.StoreDoubles<TSimd, TVector, T>(value, Third, Scratch);

    /// <summary>The rows' log-sum-exp; their maxima are finite.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void LogSumExp(T* destination)
    {
        LogSumExpKernel kernel = new(High, Low, Third, rows, Scratch);
        VectorWidth.Run<LogSumExpKernel, double>(ref kernel);
        Conversion.ToElements(Scratch, destination, rows);
    }

    /// <summary>ln Σ e^(x − max) of the rows from sums of all exponentials.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void LogOfSums(T* destination)
    {
        LogOfSumsKernel kernel = new(High, Low, rows, Scratch);
        VectorWidth.Run<LogOfSumsKernel, double>(ref kernel);
        Conversion.ToElements(Scratch, destination, rows);
    }

    /// <summary>ln Σ e^(x − max) of the rows from sums of the exponentials below the maximum.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public void LogAboveMaximum(T* destination)
    {
        LogAboveMaximumKernel kernel = new(High, Low, Third, rows, Scratch);
        VectorWidth.Run<LogAboveMaximumKernel, double>(ref kernel);
        Conversion.ToElements(Scratch, destination, rows);
    }

    private double* Third => numbers + (2 * Room(rows));

    public double* Scratch => numbers + (3 * Room(rows));

    /// <summary>Whole vectors of double.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Room(int rows) => Math.Max(rows, WholeVector.Lanes<double>());

    [MethodImpl(LoopMethod.Compiled)]
    private void SumFew<TSimd, TVector, TExponential, TSum>(T* values, int count, TVector max)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
        where TExponential : struct, IRowExponential<TVector, T>
        where TSum : struct, IColumnSum<TVector, T>
    {
        ColumnSums.OfFew<TSimd, TVector, T, TExponential, TSum, RowPasses.Dropped>(values, TSimd.Lanes, count, max, null, out TVector first, out TVector second);
        TSum.Store<TSimd>(first, second, High, Low, Scratch);
    }

    /// <summary>How many classes equal the maximum; NaN where that is infinite.</summary>
    [MethodImpl(LoopMethod.Apart)]
    private static TVector CountOf<TSimd, TVector>(TVector max, T* values, int count)
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        TVector zero = TSimd.Create(default), one = ExpPolynomial.Constant<TSimd, TVector, T>(1f, 1.0);
        TVector maxima = TSimd.Subtract(max, max);                    // 0 or NaN
        for (T* end = values + (count * TSimd.Lanes); values < end; values += TSimd.Lanes)
        {
            maxima = TSimd.Add(maxima, TSimd.Select(TSimd.Equal(TSimd.Load(ref *values, 0), max), one, zero));
        }

        return maxima;
    }

    private readonly struct LogSumExpKernel(double* high, double* low, double* maxima, int count, double* destination) : IVectorKernel<double>
    {
        [MethodImpl(LoopMethod.Compiled)]
        public void Run<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector, double>
            where TVector : struct
        {
            for (nuint i = 0; i < (nuint)count; i += (nuint)TSimd.Lanes)
            {
                TVector max = TSimd.Load(ref *maxima, i), ofAll = TSimd.Load(ref *high, i), rest = TSimd.Load(ref *low, i);
                TSimd.Store(ref *destination, i, RowExponential<T>.LogSumExp<TSimd, TVector>(max, ofAll, rest));
            }
        }
    }

    private readonly struct LogOfSumsKernel(double* high, double* low, int count, double* destination) : IVectorKernel<double>
    {
        [MethodImpl(LoopMethod.Compiled)]
        public void Run<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector, double>
            where TVector : struct
        {
            for (nuint i = 0; i < (nuint)count; i += (nuint)TSimd.Lanes)
            {
                TSimd.Store(ref *destination, i, RowExponential<T>.RoundedLogAboveMaximum<TSimd, TVector>(TSimd.Load(ref *high, i), TSimd.Load(ref *low, i)));
            }
        }
    }

    private readonly struct LogAboveMaximumKernel(double* high, double* low, double* maxima, int count, double* destination) : IVectorKernel<double>
    {
        [MethodImpl(LoopMethod.Compiled)]
        public void Run<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector, double>
            where TVector : struct
        {
            for (nuint i = 0; i < (nuint)count; i += (nuint)TSimd.Lanes)
            {
                TVector others = TSimd.Add(TSimd.Load(ref *high, i), TSimd.Load(ref *low, i));
                TSimd.Store(ref *destination, i, RowExponential<T>.LogAboveMaximum<TSimd, TVector>(others, TSimd.Load(ref *maxima, i)));
            }
        }
    }
}
