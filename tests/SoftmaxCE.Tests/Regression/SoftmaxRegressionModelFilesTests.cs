namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public sealed class SoftmaxRegressionModelFilesTests : IDisposable
{
    private static readonly DataSet Iris = DataSets.Load("iris");
    private static readonly DenseRows<double> Rows = new(Iris.Features, Iris.Columns);
    private static readonly SoftmaxRegressionModel Trained = new SoftmaxRegressionTrainer()
        .Fit(Rows, [.. Iris.Labels.Select(label => ((string[])["setosa", "versicolor", "virginica"])[label])])
        .WithFeatureNames(["sepal length", "sepal width", "petal length", "petal width"]);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_saved_model_comes_back_the_same_by_path_stream_and_span()
    {
        string path = _folder.File("iris.safetensors");
        Trained.Save(path);
        AssertSame(SoftmaxRegressionModel.Load(path));
        AssertSame(SoftmaxRegressionModel.Load(File.ReadAllBytes(path)));
        using MemoryStream stream = new();
        Trained.Save(stream);
        stream.Position = 0;
        AssertSame(SoftmaxRegressionModel.Load(stream));
        stream.ToArray().Should().Equal(File.ReadAllBytes(path));
    }

    [Fact]
    public void A_model_in_JSON_comes_back_the_same()
    {
        Trained.SaveJson(_folder.File("iris.json"));
        AssertSame(SoftmaxRegressionModel.LoadJson(_folder.File("iris.json")));
        using MemoryStream stream = new();
        Trained.SaveJson(stream);
        stream.Position = 0;
        AssertSame(SoftmaxRegressionModel.LoadJson(stream));
        stream.ToArray().Should().Equal(File.ReadAllBytes(_folder.File("iris.json")));
    }

    [Fact]
    public void A_gap_that_is_not_known_and_every_reason_come_back()
    {
        foreach (StopReason reason in Enum.GetValues<StopReason>())
        {
            TrainingSummary summary = new()
            {
                StopReason = reason,
                Iterations = 3,
                PassesOverData = 1e-3,
                Objective = 0.1,
                Gap = double.PositiveInfinity,
                Elapsed = TimeSpan.MaxValue,
                Options = new() { L2 = 0, FitIntercepts = false, BiasReduction = BiasReduction.Firth },
                History = [new TrainingProgress(0, 0, Math.Log(2), double.NaN, TimeSpan.Zero)],
            };
            TrainingSummary back = TrainingJson.FromText(TrainingJson.ToText(summary));
            back.History.Should().Equal(summary.History);
            (back with { History = [] }).Should().Be(summary with { History = [] });
        }
    }

    [Fact]
    public void A_summary_that_does_not_say_what_was_minimised_says_nothing_of_a_penalty()
    {
        TrainingSummary summary = TrainingJson.FromText("""{"stopReason":"Tolerance","iterations":1,"passesOverData":1,"objective":1,"gap":1,"elapsedTicks":1,"history":[]}""");
        summary.Options.Should().BeNull();
    }

    [Fact]
    public void A_model_without_training_or_names_has_none_after_loading()
    {
        string path = _folder.File("plain");
        new SoftmaxRegressionModel([1, 2], [0, -0.0]).Save(path);
        SoftmaxRegressionModel back = SoftmaxRegressionModel.Load(path);
        back.Training.Should().BeNull();
        back.FeatureNames.Should().BeNull();
        back.ClassNames.Should().Equal("0", "1");
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"stopReason":"99","iterations":1,"passesOverData":1,"objective":1,"gap":1,"elapsedTicks":1,"history":[]}""")]
    [InlineData("""{"stopReason":"Tolerance","iterations":1,"passesOverData":1,"objective":1,"gap":1,"elapsedTicks":1,"options":{"biasReduction":"1"},"history":[]}""")]
    [InlineData("""{"stopReason":"Tolerance","iterations":1,"passesOverData":1,"objective":1,"gap":1,"elapsedTicks":1,"options":{"fitIntercepts":1},"history":[]}""")]
    [InlineData("""{"stopReason":"Tolerance","iterations":1e99,"passesOverData":1,"objective":1,"gap":1,"elapsedTicks":1,"history":[]}""")]
    [InlineData("""{"stopReason":"Tolerance","iterations":1,"passesOverData":1,"objective":"x","gap":1,"elapsedTicks":1,"history":[]}""")]
    [InlineData("""{"stopReason":"Tolerance","iterations":1,"passesOverData":1,"objective":1,"gap":1,"elapsedTicks":1,"history":[7]}""")]
    [InlineData("""{"stopReason":null,"iterations":1,"passesOverData":1,"objective":1,"gap":1,"elapsedTicks":1,"history":[]}""")]
    public void A_training_summary_that_is_wrong_is_refused(string text)
    {
        ModelContent content = new(new double[] { 1, 2 }, new double[2], ["a", "b"], null, new Dictionary<string, string> { ["training"] = text });
        ModelFile.Save(content, _folder.File("wrong"));
        Action load = () => SoftmaxRegressionModel.Load(_folder.File("wrong"));
        load.Should().Throw<InvalidDataException>().WithMessage("*training summary*");
    }

    [Fact]
    public void A_model_of_one_class_is_refused()
    {
        ModelFile.Save(new ModelContent(new double[] { 1 }, new double[1], ["only"]), _folder.File("one"));
        Action load = () => SoftmaxRegressionModel.Load(_folder.File("one"));
        load.Should().Throw<InvalidDataException>().WithMessage("*one class*");
    }

    [Fact]
    public void Feature_names_must_be_as_many_as_features()
    {
        Action name = () => Trained.WithFeatureNames(["x"]);
        name.Should().Throw<ArgumentException>().WithParameterName("FeatureNames").WithMessage("Needs 4 values but has 1*");
    }

    [Fact]
    public void The_file_is_what_Python_readers_expect()
    {
        using MemoryStream stream = new();
        Trained.Save(stream);
        SafeTensorsHeader header = SafeTensorsHeader.Parse(stream.ToArray());
        header.Tensors["weight"].Shape.Should().Equal(3, 4);
        header.Tensors["bias"].Shape.Should().Equal(3);
        header.Tensors.Values.Should().OnlyContain(tensor => tensor.DType == "F64");
        (header.DataStart % 8).Should().Be(0);
    }

    private static void AssertSame(SoftmaxRegressionModel actual)
    {
        actual.Coefficients.Span.SequenceEqual(Trained.Coefficients.Span).Should().BeTrue();
        actual.Intercepts.Span.SequenceEqual(Trained.Intercepts.Span).Should().BeTrue();
        actual.ClassNames.Should().Equal("setosa", "versicolor", "virginica");
        actual.FeatureNames.Should().Equal("sepal length", "sepal width", "petal length", "petal width");
        actual.Training!.History.Should().Equal(Trained.Training!.History);
        (actual.Training with { History = [] }).Should().Be(Trained.Training with { History = [] });
    }
}
