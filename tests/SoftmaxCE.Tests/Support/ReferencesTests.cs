namespace SoftmaxCE.Tests;

/// <summary>Every golden file is read whole: no field left at its default by a name that does not match.</summary>
public sealed class ReferencesTests
{
    [Fact]
    public void Softmax_and_divergences_hold_both_types_with_equally_long_rows()
    {
        References.Softmax.Should().HaveCount(146).And.OnlyContain(c =>
            c.Logits.Length > 0 && c.Softmax.Length == c.Logits.Length && c.LogSoftmax.Length == c.Logits.Length && !c.LogSumExp.IsNaN);
        References.Divergences.Should().HaveCount(40).And.OnlyContain(c => c.P.Length > 0 && c.Q.Length == c.P.Length && !c.EntropyBits.IsNaN);
        References.Exp.Should().HaveCount(2).And.OnlyContain(c => c.Exp.Length == c.X.Length && c.Log1p.Length == c.X.Length && c.Expm1.Length == c.X.Length);
    }

    [Fact]
    public void Float_inputs_are_exact_floats() => References.Softmax.Where(c => c.Type == "float").SelectMany(c => c.Logits)
        .Should().OnlyContain(x => (float)x == x);

    [Fact]
    public void Losses_hold_values_and_gradients()
    {
        References.CrossEntropy.Should().HaveCount(72).And.OnlyContain(c =>
            c.Gradient.Length == c.Rows * c.Classes && c.Loss.Length == (c.Reduction == "none" ? c.Rows : 1) && (c.Labels == null) != (c.Probabilities == null));
        References.BinaryCrossEntropy.Should().HaveCount(12).And.OnlyContain(c => c.Gradient.Length == c.Logits.Length && c.Targets.Length == c.Logits.Length);
        References.KullbackLeibler.Should().HaveCount(4).And.OnlyContain(c => c.Gradient.Length == c.Rows * c.Classes && c.P.Length == c.LogQ.Length);
        References.LinearCrossEntropy.Should().HaveCount(8).And.OnlyContain(c =>
            c.GradientX.Length == c.X.Length && c.GradientCoefficients.Length == c.Coefficients.Length && c.GradientIntercepts.Length == c.Classes);
    }

    [Fact]
    public void Optima_belong_to_the_data_sets()
    {
        References.FashionMnistOptima.Should().HaveCount(2);
        References.Optima.Should().HaveCount(14);
        foreach (OptimumCase optimum in References.Optima)
        {
            DataSet data = DataSets.Load(optimum.Data);
            (data.Rows, data.Columns, data.Classes).Should().Be((optimum.Rows, optimum.Features, optimum.Classes), optimum.Data);
            data.Features.Should().HaveCount(data.Rows * data.Columns);
        }

        References.ElasticNet.Should().HaveCount(6).And.OnlyContain(c => c.Objective > c.MeanLoss && c.Nonzero > 0);
    }

    [Fact]
    public void Inference_holds_a_row_per_class_but_the_reference()
    {
        InferenceCase inference = References.Inference;

        inference.Coefficients.Should().HaveCount(6).And.OnlyContain(row => row.Length == inference.Columns.Length);
        new[] { inference.StandardErrors, inference.Z, inference.PValues, inference.Lower95, inference.Upper95 }.Should().OnlyContain(t => t.Length == 6);
        inference.LogLikelihood.Should().BeNegative();
        inference.Aic.Should().BeApproximately((-2 * inference.LogLikelihood) + (2 * 36), 1e-6);
    }
}
