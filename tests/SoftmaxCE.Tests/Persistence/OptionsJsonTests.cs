using System.Reflection;
using System.Text.Json;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class OptionsJsonTests
{
    [Fact]
    public void Every_option_comes_back_exactly()
    {
        SoftmaxRegressionOptions options = new()
        {
            L2 = 0.1, L1 = 1.0 / 3, FitIntercepts = false, Solver = Solver.ProximalNewton, Tolerance = double.Epsilon, MaxIterations = 7, TimeLimit = TimeSpan.FromTicks(1),
            ClassWeights = new[] { 1e-300, 0.1, 1e300 }, MaxDegreeOfParallelism = 99, Seed = int.MinValue, KeepModelWhenCanceled = true,
            PenaltyFactors = new[] { 0.5, 1e-300, 3 },
            GradientDescent = new GradientDescentOptions { Rule = DescentRule.Nesterov, StepDecay = 0.25, StepPower = 0.75, SquareDecay = 0.9, Epsilon = 1e-7, Step = 0.3, BatchSize = 0, Epochs = 5, Momentum = 0.9, Shuffle = false, Average = true },
        };
        SoftmaxRegressionOptions back = Read(Write(options));
        back.ClassWeights.ToArray().Should().Equal(options.ClassWeights.ToArray());
        back.PenaltyFactors.ToArray().Should().Equal(options.PenaltyFactors.ToArray());
        (back with { ClassWeights = default, PenaltyFactors = default }).Should().Be(options with { ClassWeights = default, PenaltyFactors = default });
        RequireNoDefault(options with { BiasReduction = BiasReduction.Firth }, new SoftmaxRegressionOptions());         // not together with a penalty, so below
        RequireNoDefault(options.GradientDescent, new GradientDescentOptions());
    }

    [Fact]
    public void Bias_reduction_comes_back()
    {
        SoftmaxRegressionOptions options = new() { L2 = 0, BiasReduction = BiasReduction.Firth };
        Read(Write(options)).Should().Be(options);
    }

    [Fact]
    public void Options_that_a_file_does_not_have_are_at_their_defaults() => Read("{}").Should().Be(new SoftmaxRegressionOptions());

    [Fact]
    public void A_fitted_model_keeps_options_and_scale_in_every_kind_of_file()
    {
        byte[] pixels = [0, 255, 128, 3, 250, 9, 77, 200];
        SoftmaxRegressionTrainer trainer = new(new SoftmaxRegressionOptions { L2 = 0.25, ClassWeights = new[] { 1, 2.5 }, TimeLimit = TimeSpan.FromHours(1) });
        SoftmaxRegressionModel model = trainer.Fit(new DenseRows<byte>(pixels, 2, scale: 1.0 / 255, offset: -0.1), [0, 1, 0, 1]);
        using TemporaryFolder folder = new();
        model.Save(folder.File("model.safetensors"));
        model.SaveJson(folder.File("model.json"));
        OnnxExporter.Export(model, folder.File("model.onnx"));
        foreach (SoftmaxRegressionModel loaded in (SoftmaxRegressionModel[])
            [SoftmaxRegressionModel.Load(folder.File("model.safetensors")), SoftmaxRegressionModel.LoadJson(folder.File("model.json")), OnnxImporter.Import(folder.File("model.onnx"))])
        {
            TrainingSummary training = loaded.Training!;
            training.RowCount.Should().Be(4);
            training.FeatureScale.Should().Be(1.0 / 255);
            training.FeatureOffset.Should().Be(-0.1);
            training.Options!.ClassWeights.ToArray().Should().Equal(1, 2.5);
            (training.Options with { ClassWeights = default }).Should().Be(trainer.Options with { ClassWeights = default });
        }
    }

    [Theory]
    [InlineData("""{"l2":-1}""")]
    [InlineData("""{"l2":"1"}""")]
    [InlineData("""{"l2":1e999}""")]
    [InlineData("""{"solver":"7"}""")]
    [InlineData("""{"solver":"newton"}""")]
    [InlineData("""{"solver":null}""")]
    [InlineData("""{"solver":"Newton","l1":1}""")]
    [InlineData("""{"maxIterations":1.5}""")]
    [InlineData("""{"classWeights":[0]}""")]
    [InlineData("""{"classWeights":7}""")]
    [InlineData("""{"gradientDescent":{"epochs":0}}""")]
    [InlineData("""{"gradientDescent":null}""")]
    [InlineData("""{"l2":1,"l2":1}""")]
    [InlineData("7")]
    public void Options_without_meaning_are_refused(string options)
    {
        Action read = () => TrainingJson.FromText(
            $$"""{"stopReason":"Tolerance","iterations":1,"passesOverData":1,"objective":1,"gap":1,"elapsedTicks":1,"options":{{options}},"history":[]}""");
        read.Should().Throw<InvalidDataException>().WithMessage("*training summary*");
    }

    [Theory, InlineData("1e999"), InlineData("\"NaN\""), InlineData("null")]
    public void A_scale_that_is_not_finite_is_refused(string scale)
    {
        Action read = () => TrainingJson.FromText(
            $$"""{"stopReason":"Tolerance","iterations":1,"passesOverData":1,"objective":1,"gap":1,"elapsedTicks":1,"featureScale":{{scale}},"history":[]}""");
        read.Should().Throw<InvalidDataException>().WithMessage("*training summary*");
    }

    /// <summary>An option that was forgotten in the file would come back as its default, so no option above may have that.</summary>
    private static void RequireNoDefault<T>(T options, T standard)
    {
        foreach (PropertyInfo property in typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance))
            property.GetValue(options).Should().NotBe(property.GetValue(standard), "{0} must come back from a file too", property.Name);
    }

    private static string Write(SoftmaxRegressionOptions options) => ModelJson.ToText(json => OptionsJson.Write(json, options));

    private static SoftmaxRegressionOptions Read(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        return OptionsJson.Read(document.RootElement);
    }
}
