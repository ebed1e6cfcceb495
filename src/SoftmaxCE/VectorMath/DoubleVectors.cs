using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Sums and sweeps over long vectors of doubles, the same at every vector width.</summary>
internal static unsafe class DoubleVectors
{
    /// <summary>Σ x y.</summary>
    public static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        fixed (double* px = x, py = y)
        {
            DotKernel kernel = new() { X = px, Y = py, Length = Math.Min(x.Length, y.Length) };
            VectorWidth.Run<DotKernel, double>(ref kernel);
            return kernel.Sum;
        }
    }

    /// <summary>y += factor · x.</summary>
    public static void AddScaled(ReadOnlySpan<double> x, double factor, Span<double> y)
    {
        fixed (double* px = x, py = y)
        {
            AddScaledKernel kernel = new() { X = px, Y = py, Length = Math.Min(x.Length, y.Length), Factor = factor, Keep = 1 };
            VectorWidth.Run<AddScaledKernel, double>(ref kernel);
        }
    }

    /// <summary>y = x + factor · y.</summary>
    public static void ScaleAndAdd(ReadOnlySpan<double> x, double factor, Span<double> y)
    {
        fixed (double* px = x, py = y)
        {
            AddScaledKernel kernel = new() { X = px, Y = py, Length = Math.Min(x.Length, y.Length), Factor = 1, Keep = factor };
            VectorWidth.Run<AddScaledKernel, double>(ref kernel);
        }
    }

    /// <summary>√Σ x².</summary>
    public static double Norm(ReadOnlySpan<double> x) => Math.Sqrt(Dot(x, x));

    public static bool AllFinite(ReadOnlySpan<double> x)
    {
        foreach (double value in x)
        {
            if (!double.IsFinite(value)) return false;
        }

        return true;
    }

    private ref struct DotKernel : IVectorKernel<double>
    {
        public required double* X;
        public required double* Y;
        public required int Length;
        public double Sum;

        // Blocks of four accumulators, so that the error does not grow with the length.
        private const int BlockPacks = 128;

        [MethodImpl(LoopMethod.Compiled)]
        public void Run<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector, double>
            where TVector : struct
        {
            double total = 0;
            int i = 0;
            while (i + (4 * TSimd.Lanes) <= Length)
            {
                TVector s0 = TSimd.Create(0), s1 = s0, s2 = s0, s3 = s0;
                int end = Math.Min(Length, i + (BlockPacks * TSimd.Lanes));
                for (; i + (4 * TSimd.Lanes) <= end; i += 4 * TSimd.Lanes)
                {
                    s0 = TSimd.MultiplyAdd(TSimd.Load(ref X[i], 0), TSimd.Load(ref Y[i], 0), s0);
                    s1 = TSimd.MultiplyAdd(TSimd.Load(ref X[i], (nuint)TSimd.Lanes), TSimd.Load(ref Y[i], (nuint)TSimd.Lanes), s1);
                    s2 = TSimd.MultiplyAdd(TSimd.Load(ref X[i], (nuint)(2 * TSimd.Lanes)), TSimd.Load(ref Y[i], (nuint)(2 * TSimd.Lanes)), s2);
                    s3 = TSimd.MultiplyAdd(TSimd.Load(ref X[i], (nuint)(3 * TSimd.Lanes)), TSimd.Load(ref Y[i], (nuint)(3 * TSimd.Lanes)), s3);
                }

                total += TSimd.SumOfLanes(TSimd.Add(TSimd.Add(s0, s1), TSimd.Add(s2, s3)));
            }

            TVector rest = TSimd.Create(0);
            for (; i < Length; i += TSimd.Lanes) rest = TSimd.MultiplyAdd(LossRows.Take<TSimd, TVector>(X, i, Length, 0), LossRows.Take<TSimd, TVector>(Y, i, Length, 0), rest);
            Sum = total + TSimd.SumOfLanes(rest);
        }
    }

    /// <summary>y = keep · y + factor · x.</summary>
    private ref struct AddScaledKernel : IVectorKernel<double>
    {
        public required double* X;
        public required double* Y;
        public required int Length;
        public required double Factor;
        public required double Keep;

        [MethodImpl(LoopMethod.Compiled)]
        public readonly void Run<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector, double>
            where TVector : struct
        {
            TVector factor = TSimd.Create(Factor), keep = TSimd.Create(Keep);
            for (int i = 0; i < Length; i += TSimd.Lanes)
            {
                TVector x = TSimd.Multiply(factor, LossRows.Take<TSimd, TVector>(X, i, Length, 0));
                LossRows.Put<TSimd, TVector>(Y, i, Length, TSimd.MultiplyAdd(keep, LossRows.Take<TSimd, TVector>(Y, i, Length, 0), x));
            }
        }
    }
}
