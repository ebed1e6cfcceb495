using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SoftmaxCE;

/// <summary>
/// Rows turned into columns, [classes, stride], so that a vector holds one class of several rows: with few classes a vector along a row would be
/// mostly empty, and every sum over its classes a sum over lanes. No lane meets another one, so it does not matter to the bits how many there are.
/// </summary>
internal static unsafe class LaneBlock
{
    /// <summary>Beyond this many classes vectors along the rows are as good.</summary>
    public const int MaxClasses = 128;

    /// <summary>Rows of a block that is made of rows.</summary>
    public const int Rows = 64;

    /// <summary>Sums over rows have so many accumulators, whatever the width: row i adds to number i mod 8.</summary>
    public const int Lanes = 8;

    /// <summary>Whether kernels over such blocks serve: there must be few classes and a label for every row.</summary>
    public static bool Suits(int classes, double* targets) => classes <= MaxClasses && targets == null;

    /// <summary>Distance between the classes of a block of so many rows: whole vectors, and an odd multiple of 16, so that a column does not fall into few sets of the cache.</summary>
    public static int Stride(int rows) => 16 * (((rows + 15) / 16) | 1);

    /// <summary>The sum of the accumulators, in the order of <see cref="ISimd{TVector,T}.SumOfLanes"/>.</summary>
    public static double Sum(double* lanes) => lanes[0] + lanes[4] + (lanes[2] + lanes[6]) + (lanes[1] + lanes[5] + (lanes[3] + lanes[7]));

    /// <summary>[rows, count] to [count, stride], with zeros behind the rows.</summary>
    public static void Turn<T>(T* source, int rows, int count, T* block, int stride)
        where T : unmanaged
    {
        if (typeof(T) == typeof(double)) Turn((double*)source, rows, count, (double*)block, stride);
        else Turn((float*)source, rows, count, (float*)block, stride);
    }

    private static void Turn(float* source, int rows, int count, float* block, int stride)
    {
        const int Size = 16;
        for (int i = 0; i < rows; i += Size)
        {
            for (int c = 0; c < count; c += Size)
            {
                SimdTranspose.Block(
                    source + ((long)i * count) + c, count, Math.Min(Size, rows - i), Math.Min(Size, count - c), ((nint)(rows - i) * count) - c,
                    block + ((long)c * stride) + i, stride, ((nint)(count - c) * stride) - i);
            }
        }

        for (int c = 0; c < count; c++) new Span<float>(block + ((long)c * stride) + rows, stride - rows).Clear();
    }

    private static void Turn(double* source, int rows, int count, double* block, int stride)
    {
        int i = 0;
        for (; Sse2.IsSupported && count > 1 && i + 2 <= rows; i += 2)
        {
            double* first = source + ((long)i * count), second = first + count;
            for (int c = 0; c < count; c += 2)
            {
                int at = Math.Min(c, count - 2);
                Vector128<double> a = Vector128.Load(first + at), b = Vector128.Load(second + at);
                Sse2.UnpackLow(a, b).Store(block + ((long)at * stride) + i);
                Sse2.UnpackHigh(a, b).Store(block + ((long)(at + 1) * stride) + i);
            }
        }

        for (; i < rows; i++)
        {
            for (int c = 0; c < count; c++) block[((long)c * stride) + i] = source[((long)i * count) + c];
        }

        for (int c = 0; c < count; c++) new Span<double>(block + ((long)c * stride) + rows, stride - rows).Clear();
    }

    /// <summary>[count, stride] to [rows, count].</summary>
    public static void TurnBack(double* block, int stride, int count, double* destination, int rows)
    {
        int i = 0;
        for (; Sse2.IsSupported && count > 1 && i + 2 <= rows; i += 2)
        {
            double* first = destination + ((long)i * count), second = first + count;
            for (int c = 0; c < count; c += 2)
            {
                int at = Math.Min(c, count - 2);
                Vector128<double> a = Vector128.Load(block + ((long)at * stride) + i), b = Vector128.Load(block + ((long)(at + 1) * stride) + i);
                Sse2.UnpackLow(a, b).Store(first + at);
                Sse2.UnpackHigh(a, b).Store(second + at);
            }
        }

        for (; i < rows; i++)
        {
            for (int c = 0; c < count; c++) destination[((long)i * count) + c] = block[((long)c * stride) + i];
        }
    }
}
