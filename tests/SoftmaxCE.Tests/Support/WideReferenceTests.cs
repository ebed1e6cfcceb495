namespace SoftmaxCE.Tests;

/// <summary>The wide reference against the golden files: two independent programs, 25 digits.</summary>
public sealed class WideReferenceTests
{
    private static readonly Wide FileRounding = Wide.Parse("6e-25");

    public static IEnumerable<object[]> SoftmaxCases => References.FloatSoftmaxCases.Concat(References.DoubleSoftmaxCases);

    public static IEnumerable<object[]> DivergenceCases => References.FloatDivergenceCases.Concat(References.DoubleDivergenceCases);

    [Theory, MemberData(nameof(SoftmaxCases))]
    public void Softmax_log_softmax_log_sum_exp_and_entropy_match(SoftmaxCase expected)
    {
        double[] logits = expected.Logits;

        ShouldAgree(WideReference.Softmax<double>(logits), expected.Softmax);
        ShouldAgree(WideReference.LogSoftmax<double>(logits), expected.LogSoftmax, expected.LogSumExp);
        ShouldAgree([WideReference.LogSumExp<double>(logits)], [expected.LogSumExp]);
        ShouldAgree([WideReference.EntropyFromLogits<double>(logits)], [expected.Entropy], EntropyTerms(expected));
    }

    [Theory, MemberData(nameof(DivergenceCases))]
    public void Divergences_match(DivergenceCase expected)
    {
        ShouldAgree([WideReference.Entropy<double>(expected.P)], [expected.EntropyNats]);
        ShouldAgree([WideReference.CrossEntropy<double>(expected.P, expected.Q)], [expected.CrossEntropyNats]);
        ShouldAgree([WideReference.KullbackLeibler<double>(expected.P, expected.Q)], [expected.KullbackLeiblerNats]);
        ShouldAgree([WideReference.JensenShannon<double>(expected.P, expected.Q)], [expected.JensenShannonNats]);
    }

    [Fact]
    public void Divergences_from_logits_are_those_of_the_softmax()
    {
        double[] a = References.Softmax.First(c => c.Name == "normal n=10 scale=1").Logits, b = [.. a.Reverse()];
        Wide[] p = WideReference.Softmax<double>(a), q = WideReference.Softmax<double>(b);
        Wide kl = WideReference.Sum(p.Zip(q, (x, y) => x * WideMath.Log(x / y)));
        Wide cross = -WideReference.Sum(a.Zip(q, (x, y) => x * WideMath.Log(y)));

        Agree(WideReference.KullbackLeiblerFromLogits<double>(a, b), kl).Should().BeTrue();
        Agree(WideReference.CrossEntropyFromLogits<double>(a, b), cross).Should().BeTrue();
        Agree(WideReference.JensenShannonFromLogits<double>(a, b), WideReference.JensenShannonFromLogits<double>(b, a)).Should().BeTrue();
        Agree(WideReference.CrossEntropyOfLabel<double>(a, 3), -WideMath.Log(p[3])).Should().BeTrue();
    }

    [Fact]
    public void Sigmoid_is_softmax_of_two()
    {
        foreach (double x in new[] { -300.0, -1, 0, 2.5, 40 })
        {
            Agree(WideReference.Sigmoid(x), WideReference.Softmax<double>([x, 0])[0]).Should().BeTrue();
            Agree(WideReference.LogSigmoid(x), -WideReference.CrossEntropyOfLabel<double>([x, 0], 0)).Should().BeTrue();
        }
    }

    // The file subtracts in 60 digits, so where its result is small beside the numbers it came from, its error is absolute.
    private static Wide EntropyTerms(SoftmaxCase c) => Wide.Abs(c.LogSumExp);

    private static void ShouldAgree(Wide[] actual, Wide[] expected, Wide cancelled = default)
    {
        actual.Should().HaveCount(expected.Length);
        for (int i = 0; i < expected.Length; i++) Agree(actual[i], expected[i], cancelled).Should().BeTrue("[{0}] is {1} for {2}", i, actual[i], expected[i]);
    }

    private static bool Agree(Wide actual, Wide expected, Wide cancelled = default) =>
        actual.Equals(expected) || Wide.Abs(actual - expected) <= (Wide.Abs(expected) * FileRounding) + (Wide.Abs(cancelled) * Wide.Parse("1e-58"));
}
