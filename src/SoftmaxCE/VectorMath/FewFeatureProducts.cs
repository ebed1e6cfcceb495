using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Logits of rows of few features, classes in the lanes of vectors: <see cref="RowProducts{T}"/> bit for bit, whose eight lanes are eight vectors here.</summary>
/// <param name="rows">[rows, features].</param>
/// <param name="rowCount">Number of rows.</param>
/// <param name="featureCount">A multiple of 8; features that are not there are 0.</param>
/// <param name="coefficients">[features, classStride].</param>
/// <param name="intercepts">One per class, classStride in all.</param>
/// <param name="classCount">Number of classes.</param>
/// <param name="classStride">A multiple of 8.</param>
/// <param name="outputs">[rows, classes]; up to 7 more values may be written.</param>
internal readonly unsafe struct FewFeatureProducts(
    double* rows, int rowCount, int featureCount, double* coefficients, double* intercepts, int classCount, int classStride, double* outputs) : IVectorKernel<double>
{
    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* x = rows, z = outputs;
        for (int i = 0; i < rowCount; i++, x += featureCount, z += classCount)
        {
            // A vector that reaches past the classes is overwritten by the next row.
            for (int c = 0; c < classCount; c += TSimd.Lanes)
            {
                TVector zero = TSimd.Create(0), s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero;
                double* w = coefficients + c;
                for (int j = 0; j < featureCount; j += 8)
                {
                    s0 = TSimd.MultiplyAdd(TSimd.Create(x[j]), TSimd.Load(ref *w, 0), s0);
                    w += classStride;
                    s1 = TSimd.MultiplyAdd(TSimd.Create(x[j + 1]), TSimd.Load(ref *w, 0), s1);
                    w += classStride;
                    s2 = TSimd.MultiplyAdd(TSimd.Create(x[j + 2]), TSimd.Load(ref *w, 0), s2);
                    w += classStride;
                    s3 = TSimd.MultiplyAdd(TSimd.Create(x[j + 3]), TSimd.Load(ref *w, 0), s3);
                    w += classStride;
                    s4 = TSimd.MultiplyAdd(TSimd.Create(x[j + 4]), TSimd.Load(ref *w, 0), s4);
                    w += classStride;
                    s5 = TSimd.MultiplyAdd(TSimd.Create(x[j + 5]), TSimd.Load(ref *w, 0), s5);
                    w += classStride;
                    s6 = TSimd.MultiplyAdd(TSimd.Create(x[j + 6]), TSimd.Load(ref *w, 0), s6);
                    w += classStride;
                    s7 = TSimd.MultiplyAdd(TSimd.Create(x[j + 7]), TSimd.Load(ref *w, 0), s7);
                    w += classStride;
                }

                TVector even = TSimd.Add(TSimd.Add(s0, s4), TSimd.Add(s2, s6)), odd = TSimd.Add(TSimd.Add(s1, s5), TSimd.Add(s3, s7));
                TSimd.Store(ref z[c], 0, TSimd.Add(TSimd.Add(even, odd), TSimd.Load(ref intercepts[c], 0)));
            }
        }
    }
}
