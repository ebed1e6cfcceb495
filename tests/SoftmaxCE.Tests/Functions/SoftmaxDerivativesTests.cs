using CsCheck;

namespace SoftmaxCE.Tests;

public class SoftmaxDerivativesTests
{
    private static readonly Gen<double[]> Logits = Gen.Double[-5, 5].Array[1, 20];

    [Fact]
    public void The_Jacobian_is_a_times_1_minus_a_on_the_diagonal_and_minus_the_products_elsewhere()
    {
        double[] a = [0.5, 0.25, 0.125, 0.125], jacobian = new double[16];
        SoftmaxFunctions.SoftmaxJacobian<double>(a, jacobian);
        for (int i = 0; i < 4; i++)
        {
            for (int j = 0; j < 4; j++) jacobian[(i * 4) + j].Should().Be(i == j ? a[i] * (1 - a[i]) : -a[i] * a[j]);
        }
    }

    [Fact]
    public void The_Jacobian_is_symmetric_with_rows_that_sum_to_0_and_equals_finite_differences() =>
        Logits.Sample(z =>
        {
            int n = z.Length;
            double[] a = Softmax(z), jacobian = new double[n * n];
            SoftmaxFunctions.SoftmaxJacobian<double>(a, jacobian);
            const double Step = 1e-5;
            for (int j = 0; j < n; j++)
            {
                double[] up = Softmax(Moved(z, j, Step)), down = Softmax(Moved(z, j, -Step));
                double sum = 0;
                for (int i = 0; i < n; i++)
                {
                    jacobian[(i * n) + j].Should().BeApproximately((up[i] - down[i]) / (2 * Step), 1e-9);
                    jacobian[(i * n) + j].Should().Be(jacobian[(j * n) + i]);
                    sum += jacobian[(i * n) + j];
                }

                sum.Should().BeApproximately(0, 1e-15);
            }
        });

    [Fact]
    public void Backward_is_the_product_with_the_Jacobian() =>
        Gen.Select(Logits, Gen.Double[-3, 3].Array[20]).Sample((z, u) =>
        {
            int n = z.Length;
            double[] a = Softmax(z), jacobian = new double[n * n], gradient = new double[n], logGradient = new double[n];
            u = u[..n];
            SoftmaxFunctions.SoftmaxJacobian<double>(a, jacobian);
            SoftmaxFunctions.SoftmaxBackward<double>(a, u, gradient);
            SoftmaxFunctions.LogSoftmaxBackward<double>(a, u, logGradient);
            for (int j = 0; j < n; j++)
            {
                double product = 0, logProduct = 0;
                for (int i = 0; i < n; i++)
                {
                    product += u[i] * jacobian[(i * n) + j];
                    logProduct += u[i] * ((i == j ? 1 : 0) - a[j]);      // ∂ ln a[i] / ∂z[j]
                }

                gradient[j].Should().BeApproximately(product, 1e-14);
                logGradient[j].Should().BeApproximately(logProduct, 1e-13);
            }
        });

    [Fact]
    public void The_loss_gradient_through_the_chain_equals_a_minus_y()
    {
        // J = −ln a[y]: ∂J/∂A is −1/a[y] at y and 0 elsewhere; ∂A/∂Z is the Jacobian; ∂Z/∂W is x. The closed form is x (a − y)ᵀ.
        Gen.Select(Gen.Double[-4, 4].Array[5], Gen.Int[0, 4], Gen.Double[-2, 2].Array[3]).Sample((z, label, x) =>
        {
            double[] a = Softmax(z), upstream = new double[5], gradient = new double[5];
            upstream[label] = -1 / a[label];
            SoftmaxFunctions.SoftmaxBackward<double>(a, upstream, gradient);
            for (int c = 0; c < 5; c++)
            {
                for (int k = 0; k < 3; k++)
                {
                    double direct = (a[c] - (c == label ? 1 : 0)) * x[k];
                    (gradient[c] * x[k]).Should().BeApproximately(direct, 1e-14);
                }
            }
        });
    }

    [Theory, MemberData(nameof(Lengths.OneTo260), MemberType = typeof(Lengths))]
    public void Backward_takes_every_length_in_place_between_guard_pages(int length)
    {
        foreach (GuardSide side in Enum.GetValues<GuardSide>())
        {
            using GuardedMemory<float> u = GuardedMemory.Random<float>(length, seed: length, side), p = GuardedMemory.Random<float>(length, seed: 7 * length, side);
            SoftmaxFunctions.Softmax(p.ReadOnlySpan, p.Span);
            float[] probabilities = p.Span.ToArray();
            SoftmaxFunctions.SoftmaxBackward(p.ReadOnlySpan, u.ReadOnlySpan, u.Span);
            SoftmaxFunctions.LogSoftmaxBackward(p.ReadOnlySpan, u.Original, p.Span);
            double dot = probabilities.Select((a, i) => (double)a * u.Original[i]).Sum(), sum = u.Original.ToArray().Sum(v => (double)v);
            for (int i = 0; i < length; i++)
            {
                ((double)u.Span[i]).Should().BeApproximately(probabilities[i] * (u.Original[i] - dot), 1e-5 * probabilities[i] + 1e-12);
                ((double)p.Span[i]).Should().BeApproximately(u.Original[i] - (probabilities[i] * sum), 1e-5);
            }
        }
    }

    [Fact]
    public void Half_and_other_types_follow()
    {
        Half[] p = [(Half)0.25, (Half)0.75], u = [(Half)1, (Half)3], gradient = new Half[2], jacobian = new Half[4];
        SoftmaxFunctions.SoftmaxBackward<Half>(p, u, gradient);
        gradient.Should().Equal((Half)(0.25 * (1 - 2.5)), (Half)(0.75 * (3 - 2.5)));
        SoftmaxFunctions.LogSoftmaxBackward<Half>(p, u, gradient);
        gradient.Should().Equal((Half)(1 - (0.25 * 4)), (Half)(3 - (0.75 * 4)));
        SoftmaxFunctions.SoftmaxJacobian<Half>(p, jacobian);
        jacobian.Should().Equal((Half)0.1875, (Half)(-0.1875), (Half)(-0.1875), (Half)0.1875);
    }

    [Fact]
    public void Bad_arguments_name_the_parameter()
    {
        float[] two = [0.5f, 0.5f], three = new float[3], four = [0, 0, 0, 0];
        Action tooShort = () => SoftmaxFunctions.SoftmaxJacobian<float>(two, three);
        tooShort.Should().Throw<ArgumentException>().WithParameterName("destination").WithMessage("*room for 4 values but has 3*");
        Action overlapping = () => SoftmaxFunctions.SoftmaxJacobian<float>(four.AsSpan(0, 2), four);
        overlapping.Should().Throw<ArgumentException>().WithParameterName("destination");
        Action different = () => SoftmaxFunctions.SoftmaxBackward<float>(two, three, four);
        different.Should().Throw<ArgumentException>().WithParameterName("upstream").WithMessage("*2 values but has 3*");
        Action empty = () => SoftmaxFunctions.LogSoftmaxBackward<float>([], [], four);
        empty.Should().Throw<ArgumentException>().WithParameterName("probabilities");
    }

    private static double[] Softmax(double[] z)
    {
        double[] a = new double[z.Length];
        SoftmaxFunctions.Softmax<double>(z, a);
        return a;
    }

    private static double[] Moved(double[] z, int at, double step)
    {
        double[] moved = [.. z];
        moved[at] += step;
        return moved;
    }
}
