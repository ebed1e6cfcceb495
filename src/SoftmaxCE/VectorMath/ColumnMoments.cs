using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Adds up weighted (x − origin) and (x − origin)² of every column of a block of rows.</summary>
internal readonly unsafe struct ColumnMoments<T>(T* rows, int rowCount, int featureCount, double* weights, T* origin, double* sums, double* squares) : IVectorKernel<T>
    where T : unmanaged
{
    /// <param name="rows">[rowCount, featureCount].</param>
    /// <param name="rowCount">Rows.</param>
    /// <param name="featureCount">Columns.</param>
    /// <param name="weights">One per row; null for all 1.</param>
    /// <param name="origin">One value per column, near the column's values, so that little cancels.</param>
    /// <param name="sums">One per column, added to in double.</param>
    /// <param name="squares">One per column, added to in double.</param>
    public static void Add(T* rows, int rowCount, int featureCount, double* weights, T* origin, double* sums, double* squares)
    {
        ColumnMoments<T> kernel = new(rows, rowCount, featureCount, weights, origin, sums, squares);
        VectorWidth.Run<ColumnMoments<T>, T>(ref kernel);
    }

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        double* partial = stackalloc double[2 * TSimd.Lanes];
        TVector zero = TSimd.Create(default);
        for (int j = 0; j < featureCount; j += TSimd.Lanes)
        {
            int count = Math.Min(TSimd.Lanes, featureCount - j);
            TVector start = TSimd.LoadPartial(origin + j, count, zero), first = zero, second = zero;
            T* x = rows + j;
            for (int i = 0; i < rowCount; i++, x += featureCount)
            {
                TVector d = TSimd.Subtract(count == TSimd.Lanes ? TSimd.Load(ref *x, 0) : TSimd.LoadPartial(x, count, zero), start);
                TVector weighted = weights == null ? d : TSimd.Multiply(d, TSimd.Create(Convert(weights[i])));
                first = TSimd.Add(first, weighted);
                second = TSimd.MultiplyAdd(weighted, d, second);
            }

            new Span<double>(partial, 2 * TSimd.Lanes).Clear();
            TSimd.AddToDoubles(partial, first);
            TSimd.AddToDoubles(partial + TSimd.Lanes, second);
            for (int lane = 0; lane < count; lane++)
            {
                sums[j + lane] += partial[lane];
                squares[j + lane] += partial[TSimd.Lanes + lane];
            }
        }
    }

    private static T Convert(double value) => typeof(T) == typeof(float) ? (T)(object)(float)value : (T)(object)value;
}
