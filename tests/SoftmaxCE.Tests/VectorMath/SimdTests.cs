namespace SoftmaxCE.Tests;

/// <summary>Every operation of the vector layer gives the bits of the one-value version, at every width, partial loads and stores included.</summary>
public class SimdTests
{
    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Every_operation_on_floats_equals_the_scalar_one(int bits) => Check<float>(bits, 16);

    [Theory, MemberData(nameof(Widths.All), MemberType = typeof(Widths))]
    public void Every_operation_on_doubles_equals_the_scalar_one(int bits) => Check<double>(bits, 8);

    private static unsafe void Check<T>(int bits, int lanes)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        for (int count = 0; count <= lanes; count++)
        {
            using GuardedMemory<T> a = GuardedMemory.Random<T>(count, seed: count), b = GuardedMemory.Random<T>(count, seed: 100 + count);
            using GuardedMemory<T> results = GuardedMemory.Zeros<T>(count * Operations<T>.Count);
            fixed (T* left = a.Span, right = b.Span, destination = results.Span)
            {
                Operations<T> kernel = new(left, right, destination, count);
                VectorWidth.RunAt<Operations<T>, T>(bits, ref kernel);
                kernel.Lanes.Should().Be(lanes);
                for (int operation = 0; operation < Operations<T>.Count; operation++)
                {
                    for (int i = 0; i < count; i++)
                    {
                        T expected = Operations<T>.Apply<ScalarSimd<T>, T>(operation, left[i], right[i]);
                        results.Span[(operation * count) + i].Equals(expected).Should().BeTrue("operation {0} of {1}, {2}", operation, left[i], right[i]);
                    }
                }

                T largest = count == 0 ? T.NegativeInfinity : a.Span.ToArray().Max();
                kernel.Largest.Should().Be(largest);
                kernel.SomeGreater.Should().Be(a.Span.ToArray().Zip(b.Span.ToArray()).Any(pair => pair.First > pair.Second));
                kernel.AllEqual.Should().BeTrue("every lane has the sum of all, added as a tree");
                kernel.Total.Value.Should().Be(kernel.ScalarTotal.Value);
                kernel.MergedTotal.Value.Should().Be(2 * kernel.ScalarTotal.Value);
                kernel.PlainTotal.Should().BeApproximately(kernel.ScalarTotal.Value / 2, 1e-12);
            }
        }
    }

    private unsafe struct Operations<T>(T* left, T* right, T* destination, int count) : IVectorKernel<T>
        where T : unmanaged
    {
        public const int Count = 18;
        public int Lanes;
        public T Largest;
        public bool SomeGreater;
        public bool AllEqual;
        public CompensatedSum Total;
        public CompensatedSum MergedTotal;
        public double PlainTotal;
        public CompensatedSum ScalarTotal;

        public static TVector Apply<TSimd, TVector>(int operation, TVector a, TVector b)
            where TSimd : struct, ISimd<TVector, T>
            where TVector : struct
        {
            TVector positive = TSimd.Add(TSimd.Abs(a), TSimd.Create(Element.FromDouble<T>(1e-3)));
            return operation switch
            {
                0 => TSimd.Add(a, b),
                1 => TSimd.Subtract(a, b),
                2 => TSimd.Multiply(a, b),
                3 => TSimd.Divide(a, b),
                4 => TSimd.MultiplyAdd(a, b, a),
                5 => TSimd.NegatedMultiplyAdd(a, b, b),
                6 => TSimd.Max(a, b),
                7 => TSimd.Min(a, b),
                8 => TSimd.Abs(a),
                9 => TSimd.Select(TSimd.LessThan(a, b), a, b),
                10 => TSimd.Select(TSimd.Equal(a, b), a, b),
                11 => TSimd.TimesPowerOfTwo(TSimd.SplitPowerOfTwo(positive, out _), TSimd.Create(Element.FromDouble<T>(-140))),
                12 => TSimd.SplitPowerOfTwo(positive, out _),
                13 => Exponent<TSimd, TVector>(positive),
                14 => TSimd.Lookup(FactoredExp.Powers<T>(), a),
                15 => TSimd.AddEighths(a, b),
                16 => TSimd.MoveBeside(positive, TSimd.Abs(b), out _),
                _ => Distance<TSimd, TVector>(positive, TSimd.Abs(b)),
            };
        }

        public void Run<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector, T>
            where TVector : struct
        {
            Lanes = TSimd.Lanes;
            TVector lowest = TSimd.Create(Element.FromDouble<T>(double.NegativeInfinity)), zero = TSimd.Create(default);
            TVector a = TSimd.LoadPartial(left, count, lowest), b = TSimd.LoadPartial(right, count, zero);
            Largest = TSimd.MaxOfLanes(a);
            for (int operation = 0; operation < Count; operation++)
            {
                TSimd.StorePartial(destination + (operation * count), count, Apply<TSimd, TVector>(operation, a, b));
            }

            SomeGreater = TSimd.AnyGreater(TSimd.LoadPartial(left, count, zero), b);
            T* tree = stackalloc T[Lanes], across = stackalloc T[Lanes];
            TSimd.StorePartial(tree, Lanes, b);
            TSimd.StorePartial(across, Lanes, TSimd.AddAcross(b));
            for (int half = Lanes / 2; half > 0; half /= 2)
            {
                for (int i = 0; i < half; i++) tree[i] = ScalarSimd<T>.Add(tree[i], tree[i + half]);
            }

            AllEqual = true;
            for (int i = 0; i < Lanes; i++) AllEqual &= across[i].Equals(tree[0]);

            TVector first = zero, second = zero;
            TSimd.AddWide(ref first, ref second, b);
            TSimd.AddWide(ref first, ref second, b);
            Total = TSimd.TotalOfWide(first, second);
            TSimd.MergeWide(ref first, ref second, first, second);
            TSimd.MergeWide(ref first, ref second, TSimd.Create(default), TSimd.Create(default));
            MergedTotal = TSimd.TotalOfWide(first, second);
            PlainTotal = TSimd.SumOfLanes(b);
            double* sums = stackalloc double[Lanes];
            for (int i = 0; i < Lanes; i++) sums[i] = i < count ? 2 * Element.ToDouble(right[i]) : 0;
            ScalarTotal = Tree(sums, Lanes);
        }

        private static TVector Exponent<TSimd, TVector>(TVector x)
            where TSimd : struct, ISimd<TVector, T>
            where TVector : struct
        {
            TSimd.SplitPowerOfTwo(x, out TVector exponent);
            return exponent;
        }

        private static TVector Distance<TSimd, TVector>(TVector x, TVector other)
            where TSimd : struct, ISimd<TVector, T>
            where TVector : struct
        {
            TSimd.MoveBeside(x, other, out TVector exponent);
            return exponent;
        }

        private static CompensatedSum Tree(double* sums, int lanes)
        {
            double lost = 0;
            for (int half = lanes / 2; half > 0; half /= 2)
            {
                for (int i = 0; i < half; i++)
                {
                    sums[i] = TwoSum.Add<ScalarSimd<double>, double, double>(sums[i], sums[i + half], out double error);
                    lost += error;
                }
            }

            return new() { High = sums[0], Low = typeof(T) == typeof(float) ? 0 : lost };
        }
    }
}
