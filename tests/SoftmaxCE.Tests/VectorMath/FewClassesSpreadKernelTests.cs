using System.Numerics;

namespace SoftmaxCE.Tests;

/// <summary>Rows of few classes go another way than those of many; both must arrive at the same.</summary>
public unsafe class FewClassesSpreadKernelTests
{
    private const int Rows = 37;        // two groups of rows and a part of a third
    private const int Ignored = -7;

    public static IEnumerable<object[]> Options =>
        from targets in new[] { false, true }
        from weighted in new[] { false, true }
        from smoothing in new[] { 0, 0.1, 1 }
        from temperature in new[] { 1, 0.75 }
        from zLoss in new[] { 0, 0.01 }
        from gamma in new[] { 0, 1.5 }
        where gamma == 0 || (!targets && smoothing == 0)
        select new object[] { targets, weighted, smoothing, temperature, zLoss, gamma };

    [Theory, MemberData(nameof(Options))]
    public void Every_combination_equals_the_way_of_many_classes(bool targets, bool weighted, double smoothing, double temperature, double zLoss, double gamma)
    {
        SoftmaxCrossEntropyLoss loss = new() { LabelSmoothing = smoothing, Temperature = temperature, ZLoss = zLoss, FocalGamma = gamma };
        foreach (int classes in new[] { 1, 2, 3, 7, 16, 17, 40, 128, 192 })
        {
            Compare<double>(loss, classes, targets, weighted, 1e-14);
            Compare<float>(loss, classes, targets, weighted, 6e-7);
        }
    }

    /// <summary>Nothing is read or written beyond the arguments, and the gradient may take the logits' place.</summary>
    [Fact]
    public void Distributions_of_every_length_stay_in_their_memory()
    {
        for (int classes = 1; classes <= FewClassesSpreadKernel<float>.MostClasses + 2; classes++)
        {
            Check<float>(classes);
            Check<double>(classes);
        }
    }

    private static void Check<T>(int classes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using GuardedMemory<T> logits = GuardedMemory.Random<T>(Rows * classes, seed: classes), targets = GuardedMemory.Zeros<T>(Rows * classes);
        T[] distributions = LossValues.Distributions(Rows, classes, seed: classes).As<T>(), apart = new T[Rows * classes];
        distributions.CopyTo(targets.Span);
        SoftmaxCrossEntropyLoss loss = new() { LabelSmoothing = classes % 2 * 0.1 };
        LossResult expected = loss.Evaluate<T>(logits.ReadOnlySpan, targets.ReadOnlySpan, classes, apart);
        loss.Evaluate<T>(logits.ReadOnlySpan, targets.ReadOnlySpan, classes, logits.Span).Should().Be(expected);
        logits.Span.SequenceEqual(apart).Should().BeTrue("{0} classes", classes);
    }

    private static void Compare<T>(SoftmaxCrossEntropyLoss loss, int classes, bool hasTargets, bool weighted, double tolerance)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] logits = LossValues.Normal(Rows * classes, 4, seed: classes).As<T>(), targets = LossValues.Distributions(Rows, classes, seed: 2).As<T>();
        int[] labels = LossValues.Labels(Rows, classes, seed: 3);
        T[] sampleWeights = [.. Enumerable.Range(0, Rows).Select(row => T.CreateTruncating(weighted ? row % 4 * 0.5 : 1))];
        double[] classWeights = [.. Enumerable.Range(0, classes).Select(c => weighted ? (c + 1) % 3 * 0.75 : 1)];
        T[] background = new T[classes];
        if (weighted) labels[5] = Ignored;
        if (classes > 2)
        {
            // Masked logits: of another class, of the label's, of a class without a share; a confident row; a row out of the exponential's reach.
            logits[(7 * classes) + ((Math.Max(labels[7], 0) + 1) % classes)] = T.NegativeInfinity;
            logits[(8 * classes) + labels[8]] = T.NegativeInfinity;
            logits[9 * classes] = T.NegativeInfinity;
            targets[9 * classes] = T.Zero;
            logits[(10 * classes) + labels[10]] = T.CreateTruncating(60);
            for (int c = 0; c < classes; c++) logits[(11 * classes) + c] += T.CreateTruncating(100_000);
        }

        fixed (T* z = logits, t = targets, s = sampleWeights, b = background)
        fixed (int* y = labels)
        fixed (double* w = classWeights)
        {
            CrossEntropyTask<T> task = new()
            {
                Logits = z,
                ClassCount = classes,
                Labels = hasTargets ? null : y,
                Targets = hasTargets ? t : null,
                SampleWeights = weighted ? s : null,
                ClassWeights = weighted ? w : null,
                IgnoreLabel = Ignored,
                Background = hasTargets || loss.LabelSmoothing > 0 ? b : null,
                OwnShare = 1 - loss.LabelSmoothing,
                SmoothingShare = loss.LabelSmoothing / classes,
                Temperature = loss.Temperature,
                ZLoss = loss.ZLoss,
                FocalGamma = loss.FocalGamma,
                GradientScale = 0.125,
            };
            if (!hasTargets) task.BackgroundSum = LossArguments.FillBackground<T>(background, loss.LabelSmoothing, weighted ? classWeights : []);
            FewClassesSpreadKernel<T>.Fits(task).Should().BeTrue();
            T[] losses = new T[Rows], gradient = new T[logits.Length], expectedLosses = new T[Rows], expectedGradient = new T[logits.Length];
            fixed (T* l = losses, g = gradient, el = expectedLosses, eg = expectedGradient)
            {
                FewClassesSpreadKernel<T> few = new(task with { RowLosses = l, Gradient = g }, Rows);
                VectorWidth.RunOnRegister<FewClassesSpreadKernel<T>, T>(ref few);
                CrossEntropyKernel<T> many = new(task with { RowLosses = el, Gradient = eg }, Rows);
                VectorWidth.Run<CrossEntropyKernel<T>, T>(ref many);
                few.Totals.Correct.Should().Be(many.Totals.Correct);
                if (double.IsFinite(many.Totals.Loss)) few.Totals.Loss.Should().BeApproximately(many.Totals.Loss, tolerance * Math.Abs(many.Totals.Loss));
                else few.Totals.Loss.Should().Be(many.Totals.Loss);
            }

            Near(losses, expectedLosses, "loss");
            Near(gradient, expectedGradient, "gradient");
        }

        void Near(T[] actual, T[] expected, string what)
        {
            double[] wanted = Array.ConvertAll(expected, double.CreateTruncating), got = Array.ConvertAll(actual, double.CreateTruncating);
            got.ShouldBeNear(wanted, tolerance, $"{classes} classes, {what}");
            for (int i = 0; i < wanted.Length; i++)
            {
                // Small values, too, to their digits: those of the confident row.
                if (i / Math.Max(1, wanted.Length / Rows) == 10 && double.IsFinite(wanted[i]) && loss.ZLoss == 0)
                    got[i].Should().BeApproximately(wanted[i], 8 * tolerance * Math.Abs(wanted[i]), "{0} classes, {1} {2}", classes, what, i);
            }
        }
    }
}
