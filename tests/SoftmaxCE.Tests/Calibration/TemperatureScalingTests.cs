using CsCheck;

namespace SoftmaxCE.Tests;

public class TemperatureScalingTests
{
    [Theory, MemberData(nameof(MetricsReference.Names), MemberType = typeof(MetricsReference))]
    public void Fits_the_temperature_of_the_reference(string name)
    {
        MetricsReference reference = MetricsReference.Named(name);
        if (!reference.Has("temperature")) return;                // a probability of 0 has no logit to compare with
        TemperatureScaling fitted = TemperatureScaling.Fit<double>(LogitsOf(reference), reference.Labels, reference.Weights);
        fitted.LogLossBefore.ShouldBeCloseTo(reference.Number("logLoss"), 1e-12);
        fitted.LogLossAfter.Should().BeLessThanOrEqualTo(fitted.LogLossBefore);
        if (reference.IsNull("temperature")) fitted.IsAtLimit.Should().BeTrue();
        else fitted.Temperature.ShouldBeCloseTo(reference.Number("temperature"), 1e-11);
    }

    [Fact]
    public void Logits_times_a_number_have_that_number_times_the_temperature()
    {
        MetricsReference reference = MetricsReference.Named("5 classes");
        double[] logits = LogitsOf(reference);
        double temperature = TemperatureScaling.Fit<double>(logits, reference.Labels).Temperature;
        Gen.Double[0.05, 20].Sample(factor =>
            Math.Abs((TemperatureScaling.Fit<double>([.. logits.Select(logit => logit * factor)], reference.Labels).Temperature / (temperature * factor)) - 1) < 1e-11);
    }

    [Fact]
    public void A_shift_of_the_logits_of_a_row_changes_nothing()
    {
        MetricsReference reference = MetricsReference.Named("3 classes, weighted");
        double[] logits = LogitsOf(reference);
        double[] shifted = [.. logits.Select((logit, i) => logit + (1000 * (i / 3 % 7)))];
        TemperatureScaling.Fit<double>(shifted, reference.Labels, reference.Weights).Temperature
            .ShouldBeCloseTo(TemperatureScaling.Fit<double>(logits, reference.Labels, reference.Weights).Temperature, 1e-10);
    }

    [Fact]
    public void A_class_that_is_ruled_out_in_every_row_changes_nothing()
    {
        MetricsReference reference = MetricsReference.Named("3 classes");
        double[] logits = LogitsOf(reference);
        double[] wider = [.. logits.Chunk(3).SelectMany(row => (double[])[.. row, double.NegativeInfinity])];
        TemperatureScaling.Fit<double>(wider, reference.Labels).Temperature.ShouldBeCloseTo(TemperatureScaling.Fit<double>(logits, reference.Labels).Temperature, 1e-12);
    }

    [Fact]
    public void Where_no_temperature_is_best_the_limit_is_given()
    {
        TemperatureScaling sure = TemperatureScaling.Fit([1f, 0, 0, 1], [0, 1]);
        sure.Temperature.Should().BeApproximately(TemperatureScaling.LowestTemperature, 1e-18);
        sure.IsAtLimit.Should().BeTrue();
        TemperatureScaling wrong = TemperatureScaling.Fit([0f, 1, 1, 0], [0, 1]);
        wrong.Temperature.Should().BeApproximately(TemperatureScaling.HighestTemperature, 1e-9);
        wrong.IsAtLimit.Should().BeTrue();
    }

    [Fact]
    public void Where_the_temperature_does_not_matter_it_is_1()
    {
        TemperatureScaling fitted = TemperatureScaling.Fit([3.0, 3, 5, 5], [0, 1]);
        fitted.Temperature.Should().Be(1);
        fitted.IsAtLimit.Should().BeFalse();
        fitted.LogLossAfter.Should().BeApproximately(Math.Log(2), 1e-15);
    }

    [Fact]
    public void Float_and_half_logits_are_fitted_as_their_exact_values()
    {
        MetricsReference reference = MetricsReference.Named("5 classes");
        Half[] halves = [.. LogitsOf(reference).Select(logit => (Half)logit)];
        double expected = TemperatureScaling.Fit<double>([.. halves.Select(logit => (double)logit)], reference.Labels).Temperature;
        TemperatureScaling.Fit<float>([.. halves.Select(logit => (float)logit)], reference.Labels).Temperature.Should().Be(expected);
        TemperatureScaling.Fit<Half>(halves, reference.Labels).Temperature.Should().Be(expected);
    }

    [Fact]
    public void Probabilities_are_softmax_of_the_divided_logits_also_in_place()
    {
        TemperatureScaling scaling = new(2);
        double[] logits = [1, 2, 3, 10, 10, 8];
        double[] expected = new double[6];
        SoftmaxFunctions.SoftmaxRows<double>([0.5, 1, 1.5, 5, 5, 4], 3, expected);
        scaling.ToProbabilityRows<double>(logits, 3, logits);
        logits.ShouldBeCloseTo(expected, 1e-15);
    }

    [Fact]
    public void Fitting_lowers_the_calibration_error_of_a_model_that_is_too_sure()
    {
        Random random = new(3);
        double[] logits = new double[4000 * 3];
        int[] labels = new int[4000];
        double[] row = new double[3];
        for (int i = 0; i < labels.Length; i++)
        {
            for (int j = 0; j < 3; j++) row[j] = random.NextDouble() * 4;
            for (int j = 0; j < 3; j++) logits[(i * 3) + j] = 3 * row[j];                      // three times too sure
            SoftmaxFunctions.Softmax<double>(row, row);
            double draw = random.NextDouble();
            labels[i] = draw < row[0] ? 0 : draw < row[0] + row[1] ? 1 : 2;
        }

        TemperatureScaling fitted = TemperatureScaling.Fit<double>(logits, labels);
        fitted.Temperature.Should().BeApproximately(3, 0.2);      // the standard error of ln T is about 1/√(4000 · variance) ≈ 0.02
        ErrorAt(1).Should().BeGreaterThan(0.15);
        ErrorAt(fitted.Temperature).Should().BeLessThan(0.03);

        double ErrorAt(double temperature)
        {
            double[] probabilities = new double[logits.Length];
            new TemperatureScaling(temperature).ToProbabilityRows<double>(logits, 3, probabilities);
            return CalibrationCurve.FromPredictions<double>(probabilities, labels).DebiasedRootMeanSquareError;
        }
    }

    [Fact]
    public void A_model_is_fitted_by_its_logits_and_scaled_by_its_coefficients()
    {
        DataSet vowel = DataSets.Load("vowel");
        DenseRows<double> rows = new(vowel.Features, vowel.Columns);
        SoftmaxRegressionModel model = new SoftmaxRegressionTrainer().Fit(rows, vowel.Labels);
        model = new TemperatureScaling(0.25).ApplyTo(model).WithFeatureNames([.. Enumerable.Range(0, vowel.Columns).Select(j => $"x{j}")]);
        TemperatureScaling fitted = TemperatureScaling.FitModel(model, rows, vowel.Labels);
        fitted.Temperature.Should().BeInRange(3.5, 4.5, "the model was made four times too sure");
        SoftmaxRegressionModel scaled = fitted.ApplyTo(model);
        scaled.FeatureNames.Should().Equal(model.FeatureNames);
        model.Evaluate(rows, vowel.Labels).LogLoss.ShouldBeCloseTo(fitted.LogLossBefore, 1e-12);
        scaled.Evaluate(rows, vowel.Labels).LogLoss.ShouldBeCloseTo(fitted.LogLossAfter, 1e-12);
        scaled.Evaluate(rows, vowel.Labels).Accuracy.Should().Be(model.Evaluate(rows, vowel.Labels).Accuracy);
        TemperatureScaling.FitModel(scaled, rows, vowel.Labels).Temperature.ShouldBeCloseTo(1, 1e-10);
        Refuses<ArgumentException>(() => TemperatureScaling.FitModel(model, rows, [0]), "labels", "*");
    }

    [Fact]
    public void Misuse_is_named()
    {
        Refuses<ArgumentOutOfRangeException>(() => TemperatureScaling.Fit([1.0, double.NaN], [0]), "logits", "Row 0 has this logit for class 1*");
        Refuses<ArgumentOutOfRangeException>(() => TemperatureScaling.Fit([1.0, double.PositiveInfinity], [0]), "logits", "Row 0 has this logit for class 1*");
        Refuses<ArgumentOutOfRangeException>(() => TemperatureScaling.Fit([0.0, 0, 1.0, double.NegativeInfinity], [0, 1]), "logits", "Row 1 has this logit for class 1*");
        Refuses<ArgumentOutOfRangeException>(() => TemperatureScaling.Fit([1.0, 2], [2]), "labels", "Row 0 has label 2*");
        Refuses<ArgumentException>(() => TemperatureScaling.Fit([1.0, 2, 3], [0, 1]), "logits", "*");
        Refuses<ArgumentException>(() => TemperatureScaling.Fit([1.0, 2], [0], [0]), "sampleWeights", "Every row has weight 0*");
        Refuses<ArgumentOutOfRangeException>(() => _ = new TemperatureScaling(0), "temperature", "*");
        Refuses<ArgumentOutOfRangeException>(() => _ = new TemperatureScaling(double.PositiveInfinity), "temperature", "*");
        Refuses<ArgumentException>(() => new TemperatureScaling(1).ToProbabilityRows<float>([1, 2, 3], 2, new float[3]), "logits", "*");
        Refuses<ArgumentException>(() => new TemperatureScaling(1).ToProbabilityRows<float>([1, 2], 2, new float[1]), "destination", "*");
    }

    private static double[] LogitsOf(MetricsReference reference) => [.. reference.Probabilities.Select(p => Math.Log(p))];

    private static void Refuses<TException>(Action action, string parameter, string message)
        where TException : ArgumentException =>
        action.Should().Throw<TException>().WithParameterName(parameter).WithMessage(message);
}
