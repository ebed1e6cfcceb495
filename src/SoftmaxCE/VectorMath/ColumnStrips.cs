using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Softmax along an axis across which neighbouring lines lie side by side in memory.</summary>
/// <remarks>
/// Strips of a few vectors of neighbouring lines are copied into scratch memory, where a line's values are close together whatever the tensor's
/// strides, and back when done: every value is read and written once, in runs of whole cache lines.
/// </remarks>
/// <param name="source">The first value of the first line.</param>
/// <param name="sourceStep">From one value of a line to the next.</param>
/// <param name="length">Values of a line.</param>
/// <param name="lineCount">Neighbouring lines.</param>
/// <param name="scratch">Room for <see cref="ScratchLength"/> values.</param>
internal readonly unsafe struct ColumnStrips<T>(T* source, nint sourceStep, T* destination, nint destinationStep, int length, nint lineCount, T* scratch)
    : IVectorKernel<T>
    where T : unmanaged
{
    /// <summary>A strip takes about this much of the second-level cache.</summary>
    private const int StripBytes = 128 * 1024;

    private const int VectorBytes = 64;

    private const int MostVectors = 8;

    /// <summary>Values of scratch memory that lines of this length need.</summary>
    public static int ScratchLength(int length) => checked(VectorsPerStrip(length) * length * (VectorBytes / sizeof(T)));

    [SkipLocalsInit]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, T>
        where TVector : struct
    {
        int width = VectorsPerStrip(length) * TSimd.Lanes;
        T* few = stackalloc T[2 * TSimd.Lanes * TSimd.Lanes];
        for (nint line = 0; line < lineCount; line += width)
        {
            int lines = (int)nint.Min(width, lineCount - line), stride = (lines + TSimd.Lanes - 1) / TSimd.Lanes * TSimd.Lanes;
            if (lines < stride) new Span<T>(scratch, stride * length).Clear();          // what fills up the last vector is defined, and unused
            Copy(source + line, sourceStep, scratch, stride, lines);
            for (int vector = 0; vector < stride; vector += TSimd.Lanes) SoftmaxColumns.Softmax<TSimd, TVector, T>(scratch + vector, stride, length, few, scratch + vector, stride);
            Copy(scratch, stride, destination + line, destinationStep, lines);
        }
    }

    private static int VectorsPerStrip(int length) => Math.Clamp(StripBytes / VectorBytes / length, 1, MostVectors);

    private void Copy(T* from, nint fromStep, T* to, nint toStep, int lines)
    {
        for (int i = 0; i < length; i++)
        {
            new ReadOnlySpan<T>(from + (i * fromStep), lines).CopyTo(new Span<T>(to + (i * toStep), lines));
        }
    }
}
