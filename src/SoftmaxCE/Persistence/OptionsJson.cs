using System.Text.Json;

namespace SoftmaxCE;

/// <summary>Training options as JSON within a training summary. An option that a file does not have is at its default, as it was when the file was written.</summary>
internal static class OptionsJson
{
    public static void Write(Utf8JsonWriter json, SoftmaxRegressionOptions options)
    {
        json.WriteStartObject();
        json.WriteNumber("l2", options.L2);
        json.WriteNumber("l1", options.L1);
        json.WriteBoolean("fitIntercepts", options.FitIntercepts);
        json.WriteString("solver", options.Solver.ToString());
        json.WriteNumber("tolerance", options.Tolerance);
        json.WriteNumber("maxIterations", options.MaxIterations);
        if (options.TimeLimit is { } limit) json.WriteNumber("timeLimitTicks", limit.Ticks);
        json.WriteStartArray("classWeights");
        foreach (double weight in options.ClassWeights.Span) json.WriteNumberValue(weight);
        json.WriteEndArray();
        json.WriteNumber("maxDegreeOfParallelism", options.MaxDegreeOfParallelism);
        json.WriteNumber("seed", options.Seed);
        json.WriteStartArray("penaltyFactors");
        foreach (double factor in options.PenaltyFactors.Span) json.WriteNumberValue(factor);
        json.WriteEndArray();
        json.WriteString("biasReduction", options.BiasReduction.ToString());
        json.WriteBoolean("keepModelWhenCanceled", options.KeepModelWhenCanceled);
        json.WritePropertyName("gradientDescent");
        Write(json, options.GradientDescent);
        json.WriteEndObject();
    }

    /// <exception cref="ArgumentException">An option has no meaning.</exception>
    public static SoftmaxRegressionOptions Read(JsonElement json)
    {
        SoftmaxRegressionOptions standard = new();
        SoftmaxRegressionOptions options = new()
        {
            L2 = Value(json, "l2", standard.L2, value => value.GetDouble()),
            L1 = Value(json, "l1", standard.L1, value => value.GetDouble()),
            FitIntercepts = Value(json, "fitIntercepts", standard.FitIntercepts, value => value.GetBoolean()),
            Solver = Value(json, "solver", standard.Solver, value => TrainingJson.Named<Solver>(value.GetString())),
            Tolerance = Value(json, "tolerance", standard.Tolerance, value => value.GetDouble()),
            MaxIterations = Value(json, "maxIterations", standard.MaxIterations, value => value.GetInt32()),
            TimeLimit = Value<TimeSpan?>(json, "timeLimitTicks", null, value => new TimeSpan(value.GetInt64())),
            ClassWeights = Value(json, "classWeights", standard.ClassWeights, Weights),
            MaxDegreeOfParallelism = Value(json, "maxDegreeOfParallelism", standard.MaxDegreeOfParallelism, value => value.GetInt32()),
            Seed = Value(json, "seed", standard.Seed, value => value.GetInt32()),
            PenaltyFactors = Value(json, "penaltyFactors", standard.PenaltyFactors, Weights),
            BiasReduction = Value(json, "biasReduction", standard.BiasReduction, value => TrainingJson.Named<BiasReduction>(value.GetString())),
            KeepModelWhenCanceled = Value(json, "keepModelWhenCanceled", standard.KeepModelWhenCanceled, value => value.GetBoolean()),
            GradientDescent = Value(json, "gradientDescent", standard.GradientDescent, ReadGradientDescent),
        };
        options.Validate();
        return options;
    }

    private static void Write(Utf8JsonWriter json, GradientDescentOptions options)
    {
        json.WriteStartObject();
        json.WriteString("rule", options.Rule.ToString());
        json.WriteNumber("step", options.Step);
        json.WriteNumber("stepDecay", options.StepDecay);
        json.WriteNumber("stepPower", options.StepPower);
        json.WriteNumber("batchSize", options.BatchSize);
        json.WriteNumber("epochs", options.Epochs);
        json.WriteNumber("momentum", options.Momentum);
        json.WriteNumber("squareDecay", options.SquareDecay);
        json.WriteNumber("epsilon", options.Epsilon);
        json.WriteBoolean("shuffle", options.Shuffle);
        json.WriteBoolean("average", options.Average);
        json.WriteEndObject();
    }

    private static GradientDescentOptions ReadGradientDescent(JsonElement json)
    {
        GradientDescentOptions standard = new();
        return new GradientDescentOptions
        {
            Rule = Value(json, "rule", standard.Rule, value => TrainingJson.Named<DescentRule>(value.GetString())),
            Step = Value(json, "step", standard.Step, value => value.GetDouble()),
            StepDecay = Value(json, "stepDecay", standard.StepDecay, value => value.GetDouble()),
            StepPower = Value(json, "stepPower", standard.StepPower, value => value.GetDouble()),
            BatchSize = Value(json, "batchSize", standard.BatchSize, value => value.GetInt32()),
            Epochs = Value(json, "epochs", standard.Epochs, value => value.GetInt32()),
            Momentum = Value(json, "momentum", standard.Momentum, value => value.GetDouble()),
            SquareDecay = Value(json, "squareDecay", standard.SquareDecay, value => value.GetDouble()),
            Epsilon = Value(json, "epsilon", standard.Epsilon, value => value.GetDouble()),
            Shuffle = Value(json, "shuffle", standard.Shuffle, value => value.GetBoolean()),
            Average = Value(json, "average", standard.Average, value => value.GetBoolean()),
        };
    }

    // No weights are the default memory, not an empty array, so that options without weights equal those they were written from.
    private static ReadOnlyMemory<double> Weights(JsonElement json) =>
        json.GetArrayLength() == 0 ? default : json.EnumerateArray().Select(weight => weight.GetDouble()).ToArray();

    private static T Value<T>(JsonElement parent, string name, T standard, Func<JsonElement, T> read) =>
        parent.TryGetProperty(name, out JsonElement value) ? read(value) : standard;
}
