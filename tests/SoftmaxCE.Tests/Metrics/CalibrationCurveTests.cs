using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class CalibrationCurveTests
{
    [Theory, InlineData("2 classes"), InlineData("3 classes"), InlineData("5 classes"), InlineData("9 classes")]
    public void The_curve_of_a_class_equals_the_reference(string name)
    {
        MetricsReference reference = MetricsReference.Named(name);
        foreach ((string key, CalibrationBinning binning) in new[] { ("classCurveEqualWidth", CalibrationBinning.EqualWidth), ("classCurveEqualMass", CalibrationBinning.EqualMass) })
        {
            int bins = (int)reference.Number(key, "bins");
            CalibrationCurve curve = CalibrationCurve.ForClass<double>(reference.Probabilities, reference.Labels, label: 0, binning, bins);
            curve.Bins.Select(bin => bin.Accuracy).ShouldBeCloseTo(reference.Numbers(key, "accuracy"), 1e-12, key);
            curve.Bins.Select(bin => bin.MeanConfidence).ShouldBeCloseTo(reference.Numbers(key, "confidence"), 1e-12, key);
        }
    }

    [Fact]
    public void Predictions_kept_or_streamed_give_the_same_equal_width_curve()
    {
        MetricsReference reference = MetricsReference.Named("5 classes, weighted");
        CalibrationCurve kept = CalibrationCurve.FromPredictions<double>(
            reference.Probabilities, reference.Labels, CalibrationBinning.EqualWidth, ClassificationMetrics.CalibrationBinCount, reference.Weights);
        kept.Bins.Should().Equal(reference.Measure().Calibration.Bins);
    }

    [Fact]
    public void An_edge_belongs_to_the_bin_below_it()
    {
        for (int binCount = 1; binCount <= 200; binCount++)
        {
            for (int edge = 0; edge <= binCount; edge++)
            {
                double confidence = edge / (double)binCount;
                CalibrationBin bin = CalibrationCurve.FromConfidences([confidence], [true], CalibrationBinning.EqualWidth, binCount).Bins.Single();
                bin.Upper.Should().Be(Math.Max(1, edge) / (double)binCount);
                if (edge == binCount) continue;
                bin = CalibrationCurve.FromConfidences([Math.BitIncrement(confidence)], [true], CalibrationBinning.EqualWidth, binCount).Bins.Single();
                bin.Lower.Should().Be(confidence);
            }
        }
    }

    [Fact]
    public void Bins_of_equal_mass_hold_equal_weight_and_keep_ties_together()
    {
        float[] confidences = [0.9f, 0.1f, 0.5f, 0.3f, 0.5f, 0.5f, 0.7f, 0.2f];
        CalibrationCurve curve = CalibrationCurve.FromConfidences<float>(confidences, [true, false, true, false, true, false, true, false], binCount: 4);
        curve.Bins.Select(bin => bin.Weight).Should().Equal(2, 1, 3, 2);
        curve.Bins.Select(bin => (float)bin.Lower).Should().Equal(0.1f, 0.3f, 0.5f, 0.7f);
        curve.Bins.Select(bin => (float)bin.Upper).Should().Equal(0.2f, 0.3f, 0.5f, 0.9f);
    }

    [Fact]
    public void The_order_of_rows_does_not_change_the_bins()
    {
        Gen.Select(Gen.Select(Gen.Int[0, 10], Gen.Bool, Gen.Int[0, 4]).Array[1, 60], Gen.Int).Sample((rows, seed) =>
        {
            (int, bool, int)[] shuffled = [.. rows];
            new Random(seed).Shuffle(shuffled);
            CalibrationCurve expected = CurveOf(rows);
            CalibrationCurve actual = CurveOf(shuffled);
            return actual.Bins.Count == expected.Bins.Count
                && actual.Bins.Zip(expected.Bins).All(pair => pair.First.Weight == pair.Second.Weight && Math.Abs(pair.First.Excess - pair.Second.Excess) < 1e-12);
        });
    }

    [Fact]
    public void A_calibrated_model_has_a_debiased_error_near_zero_and_a_plain_one_above_it()
    {
        Random random = new(7);
        double sum = 0;
        const int Repeats = 200;
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            double[] confidences = [.. Enumerable.Range(0, 300).Select(_ => random.NextDouble())];
            bool[] cameTrue = [.. confidences.Select(confidence => random.NextDouble() < confidence)];
            CalibrationCurve curve = CalibrationCurve.FromConfidences<double>(confidences, cameTrue);
            curve.RootMeanSquareError.Should().BeGreaterThan(curve.DebiasedRootMeanSquareError);
            sum += curve.DebiasedSquaredError;
        }

        // A bin of 20 rows has a chance difference of about 0.16/20 = 0.008; its mean over 15 bins and 200 repeats scatters by 2e-4.
        (sum / Repeats).Should().BeApproximately(0, 1e-3);
    }

    [Fact]
    public void Misuse_is_named()
    {
        Refuses<ArgumentException>(() => CalibrationCurve.FromConfidences<float>([0.5f], [true, false]), "cameTrue");
        Refuses<ArgumentOutOfRangeException>(() => CalibrationCurve.FromConfidences<float>([1.5f], [true]), "confidences");
        Refuses<ArgumentOutOfRangeException>(() => CalibrationCurve.FromConfidences<float>([float.NaN], [true]), "confidences");
        Refuses<ArgumentOutOfRangeException>(() => CalibrationCurve.FromConfidences<float>([0.5f], [true], binCount: 0), "binCount");
        Refuses<ArgumentOutOfRangeException>(() => CalibrationCurve.FromConfidences<float>([0.5f], [true], (CalibrationBinning)9), "binning");
        Refuses<ArgumentOutOfRangeException>(() => CalibrationCurve.FromConfidences<float>([0.5f], [true], sampleWeights: [-1]), "sampleWeights");
        Refuses<ArgumentException>(() => CalibrationCurve.FromPredictions<float>([0.5f, 0.5f, 1], [0, 1]), "probabilities");
        Refuses<ArgumentException>(() => CalibrationCurve.FromPredictions<float>([], []), "probabilities");
        Refuses<ArgumentOutOfRangeException>(() => CalibrationCurve.FromPredictions<float>([0.5f, 0.5f], [2]), "labels");
        Refuses<ArgumentOutOfRangeException>(() => CalibrationCurve.ForClass<float>([0.5f, 0.5f], [1], label: 2), "label");
    }

    [Fact]
    public void The_table_reads_well()
    {
        CalibrationCurve.FromConfidences([0.5, 0.5, 0.75, 1], [true, false, true, true], CalibrationBinning.EqualWidth, 4).ToString().Should().Be("""
            confidence            mean  accuracy  weight
            0.2500 to 0.5000    0.5000    0.5000       2
            0.5000 to 0.7500    0.7500    1.0000       1
            0.7500 to 1.0000    1.0000    1.0000       1
            expected error      0.0625
            maximum error       0.2500
            debiased rms error  0.0000

            """.ReplaceLineEndings("\n"));
    }

    private static CalibrationCurve CurveOf((int Tenths, bool CameTrue, int Weight)[] rows) => CalibrationCurve.FromConfidences<double>(
        [.. rows.Select(row => row.Tenths / 10.0)], [.. rows.Select(row => row.CameTrue)], binCount: 5, sampleWeights: [.. rows.Select(row => (float)row.Weight)]);

    private static void Refuses<TException>(Action action, string parameter)
        where TException : ArgumentException =>
        action.Should().Throw<TException>().WithParameterName(parameter);
}
