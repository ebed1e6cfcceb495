using System.Buffers;
using System.Numerics;

namespace SoftmaxCE;

/// <summary>Runs <see cref="LinearCrossEntropyKernel{T}"/>: block of rows after block of rows, the slices of the classes side by side.</summary>
internal static unsafe class LinearCrossEntropyRunner
{
    public static CrossEntropyTotals Run<T>(
        LinearCrossEntropyLoss options, ReadOnlySpan<T> features, ReadOnlySpan<T> coefficients, ReadOnlySpan<T> intercepts, ReadOnlySpan<int> labels,
        double weightSum, Span<T> featureGradient, Span<T> coefficientGradient, Span<T> interceptGradient, ReadOnlySpan<T> sampleWeights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(Half))
        {
            return RunConverted<T, float>(
                options, features, coefficients, intercepts, labels, weightSum, featureGradient, coefficientGradient, interceptGradient, sampleWeights);
        }

        if (typeof(T) != typeof(float) && typeof(T) != typeof(double))
        {
            return RunConverted<T, double>(
                options, features, coefficients, intercepts, labels, weightSum, featureGradient, coefficientGradient, interceptGradient, sampleWeights);
        }

        int featureCount = features.Length / labels.Length, classCount = coefficients.Length / featureCount;
        T[]? background = options.LabelSmoothing > 0 ? ArrayPool<T>.Shared.Rent(classCount) : null;
        double backgroundSum = background == null
            ? 0
            : LossArguments.FillBackground(background.AsSpan(0, classCount), options.LabelSmoothing, options.ClassWeights.Span);
        fixed (T* x = features, w = coefficients, b = intercepts, gradientX = featureGradient, gradientW = coefficientGradient, gradientB = interceptGradient)
        fixed (T* weights = sampleWeights, spread = background)
        fixed (int* labelsStart = labels)
        fixed (double* classWeights = options.ClassWeights.Span)
        {
            LinearCrossEntropyTask<T> task = new()
            {
                Features = x,
                Coefficients = w,
                Intercepts = b,
                Labels = labelsStart,
                SampleWeights = weights,
                ClassWeights = classWeights,
                Background = spread,
                BackgroundSum = backgroundSum,
                OwnShare = 1 - options.LabelSmoothing,
                IgnoreLabel = options.IgnoreLabel,
                Temperature = double.CreateTruncating(T.CreateTruncating(options.Temperature)),
                ZLoss = options.ZLoss,
                GradientScale = options.Reduction == LossReduction.Sum ? 1 : weightSum == 0 ? 0 : 1 / weightSum,
                FeatureCount = featureCount,
                ClassCount = classCount,
                FeatureGradient = gradientX,
                CoefficientGradient = gradientW,
                InterceptGradient = gradientB,
            };
            using LinearCrossEntropyBlocks<T> blocks = new(task, labels.Length, options.MaxDegreeOfParallelism);
            CrossEntropyTotals totals = blocks.Run();
            if (background != null) ArrayPool<T>.Shared.Return(background);
            return totals;
        }
    }

    private static CrossEntropyTotals RunConverted<T, TKernel>(
        LinearCrossEntropyLoss options, ReadOnlySpan<T> features, ReadOnlySpan<T> coefficients, ReadOnlySpan<T> intercepts, ReadOnlySpan<int> labels,
        double weightSum, Span<T> featureGradient, Span<T> coefficientGradient, Span<T> interceptGradient, ReadOnlySpan<T> sampleWeights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TKernel : unmanaged, IBinaryFloatingPointIeee754<TKernel>
    {
        TKernel[] x = Converted<T, TKernel>(features), w = Converted<T, TKernel>(coefficients), b = Converted<T, TKernel>(intercepts);
        TKernel[] gradientX = new TKernel[featureGradient.Length], gradientW = new TKernel[coefficientGradient.Length], gradientB = new TKernel[interceptGradient.Length];
        CrossEntropyTotals totals = Run<TKernel>(
            options, x, w, b, labels, weightSum, gradientX, gradientW, gradientB, Converted<T, TKernel>(sampleWeights));
        Conversion.Convert<TKernel, T>(gradientX, featureGradient);
        Conversion.Convert<TKernel, T>(gradientW, coefficientGradient);
        Conversion.Convert<TKernel, T>(gradientB, interceptGradient);
        return totals;
    }

    private static TKernel[] Converted<T, TKernel>(ReadOnlySpan<T> values)
        where T : unmanaged, INumberBase<T>
        where TKernel : unmanaged, INumberBase<TKernel>
    {
        TKernel[] converted = new TKernel[values.Length];
        Conversion.Convert(values, converted.AsSpan());
        return converted;
    }
}
