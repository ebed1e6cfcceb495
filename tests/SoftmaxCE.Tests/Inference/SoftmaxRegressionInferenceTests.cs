using System.Globalization;
using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class SoftmaxRegressionInferenceTests
{
    private static readonly ReferenceData Anes = ReferenceData.Load("anes96");
    private static readonly SoftmaxRegressionModel AnesModel = Unpenalised().Fit(Anes.Rows, Anes.Labels).WithFeatureNames(["logpopul", "selfLR", "age", "educ", "income"]);
    private static readonly SoftmaxRegressionInference AnesInference = AnesModel.Inference(Anes.Rows, Anes.Labels);
    private static readonly ReferenceData Small = SyntheticData.Overlapping(80, 2, 3, seed: 4);

    [Fact]
    public void Equals_statsmodels()
    {
        InferenceCase reference = References.Inference;
        for (int c = 1; c < Anes.ClassCount; c++)
        {
            for (int j = 0; j < reference.Columns.Length; j++)
            {
                CoefficientRow row = j == 0 ? AnesInference.Coefficients.Intercept(c) : AnesInference.Coefficients[c, j - 1];
                row.FeatureName.Should().Be(j == 0 ? "(intercept)" : reference.Columns[j]);
                ShouldBeRelatively(row.Estimate, reference.Coefficients[c - 1][j]);
                ShouldBeRelatively(row.StandardError, reference.StandardErrors[c - 1][j]);
                ShouldBeRelatively(row.Z, reference.Z[c - 1][j]);
                ShouldBeRelatively(row.PValue, reference.PValues[c - 1][j]);
                ShouldBeRelatively(row.Lower, reference.Lower95[c - 1][j]);
                ShouldBeRelatively(row.Upper, reference.Upper95[c - 1][j]);
            }
        }

        ShouldBeRelatively(AnesInference.LogLikelihood, reference.LogLikelihood);
        ShouldBeRelatively(AnesInference.NullLogLikelihood, reference.LogLikelihoodNull);
        ShouldBeRelatively(AnesInference.AgainstNull.Statistic, reference.LikelihoodRatio);
        AnesInference.AgainstNull.DegreesOfFreedom.Should().Be(30);
        ShouldBeRelatively(AnesInference.AgainstNull.PValue, reference.LikelihoodRatioP);
        ShouldBeRelatively(AnesInference.McFaddenR2, reference.McFaddenR2);
        ShouldBeRelatively(AnesInference.Aic, reference.Aic);
        ShouldBeRelatively(AnesInference.Bic, reference.Bic);
        AnesInference.StepToMaximum.Should().BeLessThan(1e-6);
        AnesInference.Notes.Should().BeEmpty();
    }

    /// <summary>Central differences of the gradient, in plain loops: an independent information matrix.</summary>
    [Theory, InlineData(0), InlineData(0.05)]
    public void The_covariance_inverts_the_information_by_finite_differences(double l2)
    {
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = l2, Tolerance = 1e-14 }).Fit(Small.Rows, Small.Labels);
        SoftmaxRegressionInference inference = model.Inference(Small.Rows, Small.Labels);
        int size = inference.ParameterCount, rows = Small.Labels.Length;
        size.Should().Be(6);
        double[] point = [.. inference.Coefficients.Rows.Select(row => row.Estimate)], information = new double[size * size];
        const double Step = 1e-4;
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < size; j++)
            {
                double Value(double di, double dj)
                {
                    double[] moved = [.. point];
                    moved[i] += di;
                    moved[j] += dj;
                    return rows * Objective(moved, l2);
                }

                information[(i * size) + j] = (Value(Step, Step) - Value(Step, -Step) - Value(-Step, Step) + Value(-Step, -Step)) / (4 * Step * Step);
            }
        }

        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < size; j++)
            {
                double product = 0;
                for (int k = 0; k < size; k++) product += information[(i * size) + k] * inference.Covariance.Span[(k * size) + j];
                product.Should().BeApproximately(i == j ? 1 : 0, 1e-4);
            }
        }

        // Coefficients against class 0, whose W is chosen to make the penalty smallest: the mean is taken off.
        static double Objective(double[] differences, double l2)
        {
            double[] coefficients = new double[6], intercepts = new double[3];
            for (int c = 1; c < 3; c++)
            {
                intercepts[c] = differences[(c - 1) * 3];
                for (int j = 0; j < 2; j++) coefficients[(c * 2) + j] = differences[((c - 1) * 3) + 1 + j];
            }

            for (int j = 0; j < 2; j++)
            {
                double mean = (coefficients[j] + coefficients[2 + j] + coefficients[4 + j]) / 3;
                for (int c = 0; c < 3; c++) coefficients[(c * 2) + j] -= mean;
            }

            return SyntheticData.Objective(Small, coefficients, intercepts, l2);
        }
    }

    [Fact]
    public void Another_reference_class_or_the_mean_gives_what_follows_from_the_covariance()
    {
        int parameters = AnesInference.ParameterCount, width = Anes.FeatureCount + 1, classes = Anes.ClassCount;
        ReadOnlySpan<double> covariance = AnesInference.Covariance.Span;
        SoftmaxRegressionInference other = AnesModel.Inference(Anes.Rows, Anes.Labels, options: new() { ReferenceClass = 3 });
        SoftmaxRegressionInference centred = AnesModel.Inference(Anes.Rows, Anes.Labels, options: new() { ReferenceClass = null });
        centred.Coefficients.Rows.Should().HaveCount(classes * width);
        other.Coefficients.Rows.Should().HaveCount(parameters);
        double largest = AnesModel.Intercepts.ToArray().Max(Math.Abs);      // what is common to all classes is free, and may be large
        for (int j = -1; j < Anes.FeatureCount; j++)
        {
            // Variances of γ_c − γ_3 and of γ_c − Σ γ / C, γ_0 = 0.
            for (int c = 0; c < classes; c++)
            {
                if (c != 3) Math.Pow(Row(other, c, j).StandardError, 2).Should().BeApproximately(Quadratic(covariance, c, j, k => (k == c ? 1 : 0) - (k == 3 ? 1 : 0)), 1e-12);
                Math.Pow(Row(centred, c, j).StandardError, 2).Should().BeApproximately(Quadratic(covariance, c, j, k => (k == c ? 1.0 : 0) - (1.0 / classes)), 1e-12);
            }

            Enumerable.Range(0, classes).Sum(c => Row(centred, c, j).Estimate).Should().BeApproximately(0, 1e-15 * classes * largest);
            Row(other, 0, j).Estimate.Should().BeApproximately(-Row(AnesInference, 3, j).Estimate, 1e-14);
            Row(other, 0, j).StandardError.Should().BeApproximately(Row(AnesInference, 3, j).StandardError, 1e-13);
            Row(other, 0, j).PValue.Should().BeApproximately(Row(AnesInference, 3, j).PValue, 1e-10);
        }

        other.LogLikelihood.Should().Be(AnesInference.LogLikelihood);
        ((Action)(() => other.Coefficients.Intercept(3))).Should().Throw<ArgumentOutOfRangeException>().WithMessage("*reference class*");

        double Quadratic(ReadOnlySpan<double> v, int c, int j, Func<int, double> contrast)
        {
            double sum = 0;
            for (int a = 1; a < classes; a++)
            {
                for (int b = 1; b < classes; b++) sum += contrast(a) * contrast(b) * v[((((a - 1) * width) + j + 1) * parameters) + ((b - 1) * width) + j + 1];
            }

            return sum;
        }

        static CoefficientRow Row(SoftmaxRegressionInference inference, int c, int j) => j < 0 ? inference.Coefficients.Intercept(c) : inference.Coefficients[c, j];
    }

    [Fact]
    public void Sample_weights_count_rows()
    {
        float[] weights = [.. Enumerable.Range(0, Small.Labels.Length).Select(i => (float)(i % 4))];
        int[] places = [.. Enumerable.Range(0, weights.Length).SelectMany(i => Enumerable.Repeat(i, (int)weights[i]))];
        double[] repeated = [.. places.SelectMany(i => Small.Features.Skip(i * 2).Take(2))];
        int[] labels = [.. places.Select(i => Small.Labels[i])];
        SoftmaxRegressionInference weighted = Unpenalised().Fit(Small.Rows, Small.Labels, weights).Inference(Small.Rows, Small.Labels, weights);
        DenseRows<double> rows = new(repeated, 2);
        SoftmaxRegressionInference counted = Unpenalised().Fit(rows, labels).Inference(rows, labels);
        weighted.Covariance.ToArray().ShouldBeCloseTo(counted.Covariance.ToArray(), 1e-9);
        weighted.LogLikelihood.Should().BeApproximately(counted.LogLikelihood, 1e-10);
        weighted.Bic.Should().BeApproximately(counted.Bic, 1e-9);
        weighted.NagelkerkeR2.Should().BeApproximately(counted.NagelkerkeR2, 1e-12);
        weighted.WeightSum.Should().Be(counted.RowCount);
        (weighted.RowCount, counted.RowCount).Should().Be((80, places.Length));
    }

    [Fact]
    public void A_saturated_table_has_the_variance_of_log_odds()
    {
        // log odds ratio of a 2 x 2 table: variance 1/a + 1/b + 1/c + 1/d; intercept: 1/a + 1/b.
        DenseRows<double> rows = new(new double[] { 0, 0, 1, 1 }, 1);
        float[] counts = [12, 5, 7, 9];
        SoftmaxRegressionInference inference = Unpenalised().Fit(rows, [0, 1, 0, 1], counts).Inference(rows, [0, 1, 0, 1], counts);
        inference.Coefficients[1, 0].Estimate.Should().BeApproximately(Math.Log(12.0 * 9 / (5 * 7)), 1e-9);
        inference.Coefficients[1, 0].StandardError.Should().BeApproximately(Math.Sqrt((1.0 / 12) + (1.0 / 5) + (1.0 / 7) + (1.0 / 9)), 1e-9);
        inference.Coefficients.Intercept(1).StandardError.Should().BeApproximately(Math.Sqrt((1.0 / 12) + (1.0 / 5)), 1e-9);

        // Nagelkerke's formula as it is printed.
        double n = 33, l = inference.LogLikelihood, l0 = inference.NullLogLikelihood;
        inference.NagelkerkeR2.Should().BeApproximately((1 - Math.Exp(2 * (l0 - l) / n)) / (1 - Math.Exp(2 * l0 / n)), 1e-13);
    }

    [Fact]
    public void A_nested_model_is_tested_with_the_difference_of_the_parameters()
    {
        double[] some = [.. Anes.Labels.SelectMany((_, i) => Anes.Features.Skip(i * 5).Take(3))];
        DenseRows<double> rows = new(some, 3);
        SoftmaxRegressionInference nested = Unpenalised().Fit(rows, Anes.Labels).Inference(rows, Anes.Labels);
        LikelihoodRatioTest test = AnesInference.Against(nested);
        test.Statistic.Should().BeApproximately(2 * (AnesInference.LogLikelihood - nested.LogLikelihood), 1e-10);
        test.DegreesOfFreedom.Should().Be(12);
        test.PValue.Should().Be(ChiSquaredDistribution.UpperTail(test.Statistic, 12)).And.BeInRange(1e-30, 1e-3);
        ((Action)(() => nested.Against(AnesInference))).Should().Throw<ArgumentException>().WithMessage("*36 parameters*fewer*24*");
        ((Action)(() => AnesInference.Against(Unpenalised().Fit(Small.Rows, Small.Labels).Inference(Small.Rows, Small.Labels))))
            .Should().Throw<ArgumentException>().WithMessage("*80 rows*944 rows*");
    }

    [Fact]
    public void Units_of_features_change_errors_by_the_same_factor_and_nothing_else()
    {
        double[] moved = [.. Anes.Features.Select((x, i) => (i % 5) switch { 0 => (x * 1e6) + 1e8, 3 => x * 1e-7, _ => x })];
        DenseRows<double> rows = new(moved, 5);
        SoftmaxRegressionModel model = Unpenalised().Fit(rows, Anes.Labels);
        SoftmaxRegressionInference inference = model.Inference(rows, Anes.Labels);
        for (int c = 1; c < 7; c++)
        {
            for (int j = 0; j < 5; j++)
            {
                double scale = j == 0 ? 1e6 : j == 3 ? 1e-7 : 1;
                (inference.Coefficients[c, j].StandardError * scale / AnesInference.Coefficients[c, j].StandardError).Should().BeApproximately(1, 1e-6);
            }
        }
    }

    [Fact]
    public void Sparse_rows_and_any_number_of_threads_give_the_same()
    {
        SoftmaxRegressionInference sparse = AnesModel.Inference(Anes.ToSparse(), Anes.Labels, options: new() { MaxDegreeOfParallelism = 1 });
        sparse.Covariance.ToArray().ShouldBeCloseTo(AnesInference.Covariance.ToArray(), 1e-12);
        AnesModel.Inference(Anes.Rows, Anes.Labels, options: new() { MaxDegreeOfParallelism = 4 }).Covariance.ToArray()
            .Should().Equal(AnesModel.Inference(Anes.Rows, Anes.Labels, options: new() { MaxDegreeOfParallelism = 1 }).Covariance.ToArray());
    }

    [Fact]
    public void Without_intercepts_the_null_model_knows_nothing()
    {
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 0, FitIntercepts = false, Tolerance = 1e-14 }).Fit(Small.Rows, Small.Labels);
        SoftmaxRegressionInference inference = model.Inference(Small.Rows, Small.Labels);
        inference.ParameterCount.Should().Be(4);
        inference.NullLogLikelihood.Should().BeApproximately(-80 * Math.Log(3), 1e-10);
        inference.Coefficients.Rows.Should().OnlyContain(row => row.Column != null);
        inference.StepToMaximum.Should().BeLessThan(1e-6);
        ((Action)(() => inference.Coefficients.Intercept(1))).Should().Throw<InvalidOperationException>();
    }

    [Fact]
    public void A_penalty_is_named_and_makes_errors_smaller()
    {
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 0.1, Tolerance = 1e-12 }).Fit(Anes.Rows, Anes.Labels);
        SoftmaxRegressionInference penalised = model.Inference(Anes.Rows, Anes.Labels);
        penalised.L2.Should().Be(0.1);
        penalised.StepToMaximum.Should().BeLessThan(1e-4);
        penalised.Notes.Should().ContainSingle().Which.Should().Contain("L2 = 0.1").And.Contain("penalised information");
        penalised.ToString().Should().Contain("Note: with L2 = 0.1");
        double unpenalised = model.Inference(Anes.Rows, Anes.Labels, options: new() { L2 = 0 }).Coefficients[1, 1].StandardError;
        penalised.Coefficients[1, 1].StandardError.Should().BeLessThan(unpenalised);

        SoftmaxRegressionModel sparse = new SoftmaxRegressionTrainer(new() { L2 = 0, L1 = 0.01 }).Fit(Anes.Rows, Anes.Labels);
        sparse.Inference(Anes.Rows, Anes.Labels).Notes.Should().ContainSingle().Which.Should().Contain("L1 = 0.01");
    }

    [Fact]
    public void Separated_classes_are_noted()
    {
        ReferenceData data = ReferenceData.Load("endometrial");
        SoftmaxRegressionInference inference = new SoftmaxRegressionTrainer(new() { L2 = 0 }).Fit(data.Rows, data.Labels).Inference(data.Rows, data.Labels);
        inference.Notes.Should().Contain(note => note.StartsWith("the classes are separated"));
        inference.Coefficients[1, 0].StandardError.Should().BeGreaterThan(100 * inference.Coefficients[1, 2].StandardError);
    }

    [Fact]
    public void A_model_of_other_rows_is_noticed()
    {
        SoftmaxRegressionInference inference = AnesModel.Inference(Anes.Rows, [.. Anes.Labels.Reverse()]);
        inference.StepToMaximum.Should().BeGreaterThan(1);
        inference.Notes.Should().ContainSingle().Which.Should().Contain("not at the maximum");
    }

    [Fact]
    public void Wrong_input_is_named()
    {
        double[] duplicated = [.. Small.Labels.SelectMany((_, i) => (double[])[Small.Features[2 * i], Small.Features[(2 * i) + 1], Small.Features[2 * i] + 3])];
        DenseRows<double> rows = new(duplicated, 3);
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer(new() { L2 = 0.01 }).Fit(rows, Small.Labels);
        model.Inference(rows, Small.Labels).Coefficients.Rows.Should().OnlyContain(row => double.IsFinite(row.StandardError));
        Throws<ArgumentException>(() => model.Inference(rows, Small.Labels, options: new() { L2 = 0 }), "Column 2*linear combination*");
        Throws<ArgumentException>(() => AnesModel.Inference(Small.Rows, Small.Labels), "Has 2 features*5*");
        Throws<ArgumentException>(() => AnesModel.Inference(Anes.Rows, Small.Labels), "*944*80*");
        Throws<ArgumentOutOfRangeException>(() => model.Inference(rows, [.. Small.Labels.Select((label, i) => i == 7 ? 3 : label)]), "Row 7*3 classes*");
        Throws<ArgumentOutOfRangeException>(() => model.Inference(rows, Small.Labels, [.. Enumerable.Repeat(1f, 79), -1]), "Row 79*");
        Throws<ArgumentException>(() => model.Inference(rows, Small.Labels, new float[80]), "*positive weight*");
        Throws<ArgumentOutOfRangeException>(() => model.Inference(rows, Small.Labels, options: new() { ReferenceClass = 3 }), "*0 to 2*");
        Throws<ArgumentOutOfRangeException>(() => model.Inference(rows, Small.Labels, options: new() { ConfidenceLevel = 1 }), "*between 0 and 1*");
        Throws<ArgumentException>(() => model.Inference(rows, Small.Labels, options: new() { FitIntercepts = false }), "*no intercepts*class 0*");
        SoftmaxRegressionModel certain = new(new double[] { -4000, 0, 4000, 0 }, new double[] { 0, 0 });
        Throws<InvalidOperationException>(() => certain.Inference(new DenseRows<double>(new double[] { -1, 1, 1, 2, -2, 0 }, 2), [0, 1, 0]), "*singular*SeparationCheck*");

        static void Throws<TException>(Action action, string message)
            where TException : Exception => action.Should().Throw<TException>().WithMessage(message);
    }

    [Fact]
    public void The_printed_table_does_not_depend_on_the_culture()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("de-DE");
            string[] lines = AnesInference.ToString().Split('\n');
            lines[0].Should().Be("944 rows of weight 944, 7 classes, 36 parameters; reference class 0.");
            lines[1].Should().Be("log-likelihood -1461.9227, null -1750.3467; AIC 2995.85, BIC 3170.45; R² McFadden 0.1648, Nagelkerke 0.4687");
            lines[2].Should().Be("likelihood-ratio test against null: χ² = 576.848 on 30 degrees of freedom, p = 1.8e-102");
            lines[4].Should().Be("class      feature     estimate  std. error        z        p   lower 95 %   upper 95 %");
            lines[5].Should().Be("1      (intercept)    -0.373402    0.629838   -0.593   0.5533     -1.60786     0.861057");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Errors_shrink_with_the_root_of_the_number_of_rows() => Gen.Int[2, 9].Sample(
        factor =>
        {
            float[] weights = [.. Enumerable.Repeat((float)factor, 80)];
            SoftmaxRegressionModel model = new(new double[] { 0.1, -0.2, 0.3, 0.4, -0.5, 0.2 }, new double[] { 0, 0.3, -0.1 });
            double one = model.Inference(Small.Rows, Small.Labels).Coefficients[2, 1].StandardError;
            model.Inference(Small.Rows, Small.Labels, weights).Coefficients[2, 1].StandardError.Should().BeApproximately(one / Math.Sqrt(factor), 1e-14);
        },
        iter: 8);

    private static SoftmaxRegressionTrainer Unpenalised() => new(new() { L2 = 0, Tolerance = 1e-22 });

    private static void ShouldBeRelatively(double actual, double expected) => actual.Should().BeApproximately(expected, 1e-6 * Math.Abs(expected));
}
