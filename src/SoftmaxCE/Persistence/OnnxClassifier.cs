using System.Globalization;

namespace SoftmaxCE;

/// <summary>
/// What the operators of an ONNX file compute, if it is a softmax regression: follows each tensor from the input on and knows what it
/// holds. An operator, an attribute or a use of a tensor that it does not know is refused, for the file would mean something else.
/// </summary>
internal sealed class OnnxClassifier
{
    private const int LowestOpset = 7;                            // from here on Gemm is as it is today
    private const int SoftmaxOfLastAxis = 13;                     // from here on Softmax takes the last axis unless told otherwise

    private readonly OnnxModel _model;
    private readonly Dictionary<string, Meaning> _meanings = [];
    private readonly List<(IReadOnlyList<double> Offsets, IReadOnlyList<double> Factors)> _scalings = [];
    private readonly long? _columns;
    private string _features;
    private double[]? _coefficients;
    private double[] _intercepts = [];
    private IReadOnlyList<string>? _names;

    private OnnxClassifier(OnnxModel model)
    {
        _model = model;
        KeyValuePair<string, long?>[] inputs = [.. model.Inputs];
        if (inputs.Length != 1) throw new InvalidDataException($"The file has {inputs.Length} inputs; one is needed, [rows, features].");
        (_features, _columns) = inputs[0];
        Define(_features, Meaning.Features);
    }

    private enum Meaning
    {
        Features,
        Logits,
        Probabilities,
        Index,
        Label,
        Table,
    }

    /// <exception cref="InvalidDataException">The file is no softmax regression that this library knows; the message says why.</exception>
    public static ModelContent Read(OnnxModel model)
    {
        OnnxClassifier classifier = new(model);
        foreach (OnnxNode node in model.Nodes)
        {
            classifier.RequireOperatorSet(node);
            classifier.Follow(node);
            node.RequireAllAttributesRead();
        }

        return classifier.ToContent();
    }

    private void RequireOperatorSet(OnnxNode node)
    {
        if (!_model.OperatorSets.TryGetValue(node.Domain, out long version)) throw node.Invalid("is of a set that the file does not state a version of");
        long lowest = node.Domain.Length == 0 ? LowestOpset : 1;
        if (version < lowest) throw node.Invalid($"is of version {version} of its set; at least {lowest} is needed");
    }

    private void Follow(OnnxNode node)
    {
        switch (node.Domain, node.Operation)
        {
            case ("", "Identity"): PassOn(node); break;
            case ("", "Cast"): Cast(node); break;
            case ("", "Gemm"): Gemm(node); break;
            case ("", "Softmax"): Softmax(node); break;
            case ("", "ArgMax"): ArgMax(node); break;
            case ("", "Gather"): Gather(node); break;
            case (OnnxMessages.MachineLearningDomain, "Scaler"): Scale(node); break;
            case (OnnxMessages.MachineLearningDomain, "LinearClassifier"): LinearClassifier(node); break;
            case (OnnxMessages.MachineLearningDomain, "Normalizer"): Normalize(node); break;
            case (OnnxMessages.MachineLearningDomain, "ZipMap"): ZipMap(node); break;
            default: throw node.Invalid("is no part of a softmax regression that this library reads");
        }
    }

    private void PassOn(OnnxNode node)
    {
        node.RequireEnds(1, 1);
        Meaning meaning = MeaningOf(node, node.Inputs[0]);
        Define(node.Outputs[0], meaning);
        if (meaning == Meaning.Features) Advance(node);
    }

    private void Cast(OnnxNode node)
    {
        PassOn(node);
        OnnxMessages.Element to = (OnnxMessages.Element)node.Integer("to", 0);
        bool isNumber = MeaningOf(node, node.Outputs[0]) is Meaning.Features or Meaning.Logits or Meaning.Probabilities;
        bool keepsValues = isNumber
            ? to is OnnxMessages.Element.Float or OnnxMessages.Element.Double
            : to is OnnxMessages.Element.Int32 or OnnxMessages.Element.Int64 or OnnxMessages.Element.Text;
        if (!keepsValues) throw node.Invalid($"casts to the type {(long)to}, which does not keep the values");
    }

    // y = (x − offset) · scale, for each feature or with one number for all.
    private void Scale(OnnxNode node)
    {
        node.RequireEnds(1, 1);
        RequireMeaning(node, node.Inputs[0], Meaning.Features);
        IReadOnlyList<double> offsets = node.Floats("offset"), factors = node.Floats("scale");
        if (offsets.Count == 0 || factors.Count != offsets.Count) throw node.Invalid($"has {offsets.Count} offsets and {factors.Count} scales; as many of each are needed");
        _scalings.Add((offsets, factors));
        Define(node.Outputs[0], Meaning.Features);
        Advance(node);
    }

    // alpha · x B + beta · C, B [features, classes] or with transB [classes, features].
    private void Gemm(OnnxNode node)
    {
        bool hasIntercepts = node.Inputs.Count == 3;
        node.RequireEnds(hasIntercepts ? 3 : 2, 1);
        RequireMeaning(node, node.Inputs[0], Meaning.Features);
        OnnxTensor matrix = Numbers(node, node.Inputs[1]);
        if (matrix.Shape is not [long height, long width]) throw node.Invalid("has coefficients that are not a matrix");
        if (node.Integer("transA", 0) != 0) throw node.Invalid("transposes the features");
        bool classesFirst = node.Integer("transB", 0) switch { 0 => false, 1 => true, _ => throw node.Invalid("has a transB that is neither 0 nor 1") };
        double alpha = node.Float("alpha", 1), beta = node.Float("beta", 1);
        (long classes, long features) = classesFirst ? (height, width) : (width, height);
        if (matrix.Numbers.Count == 0) throw node.Invalid("has no coefficients");

        double[] coefficients = new double[matrix.Numbers.Count], intercepts = new double[classes];
        for (int i = 0; i < coefficients.Length; i++)
            coefficients[i] = alpha * matrix.Numbers[classesFirst ? i : (int)((i % features * classes) + (i / features))];
        if (hasIntercepts)
        {
            OnnxTensor vector = Numbers(node, node.Inputs[2]);
            if (vector.Numbers.Count != classes || vector.Shape is not ([_] or [1, _])) throw node.Invalid($"has {vector.Numbers.Count} intercepts for {classes} classes");
            for (int c = 0; c < intercepts.Length; c++) intercepts[c] = beta * vector.Numbers[c];
        }

        SetParameters(node, coefficients, intercepts);
        Define(node.Outputs[0], Meaning.Logits);
    }

    private void Softmax(OnnxNode node)
    {
        node.RequireEnds(1, 1);
        RequireMeaning(node, node.Inputs[0], Meaning.Logits);
        RequireClassAxis(node, _model.OperatorSets[""] < SoftmaxOfLastAxis ? 1 : -1);
        Define(node.Outputs[0], Meaning.Probabilities);
    }

    private void ArgMax(OnnxNode node)
    {
        node.RequireEnds(1, 1);
        if (MeaningOf(node, node.Inputs[0]) is not (Meaning.Logits or Meaning.Probabilities)) throw node.Invalid("is not of logits or probabilities");
        RequireClassAxis(node, 0);
        if (node.Integer("keepdims", 1) is not (0 or 1)) throw node.Invalid("has a keepdims that is neither 0 nor 1");
        if (node.Integer("select_last_index", 0) != 0) throw node.Invalid("takes the last of equals; the first is needed");
        Define(node.Outputs[0], Meaning.Index);
    }

    private void Gather(OnnxNode node)
    {
        node.RequireEnds(2, 1);
        RequireMeaning(node, node.Inputs[1], Meaning.Index);
        if (!_model.Constants.TryGetValue(node.Inputs[0], out OnnxTensor? names) || names is not { Element: OnnxMessages.Element.Text, Shape.Count: 1 })
            throw node.Invalid("does not take the names of classes from a list");
        if (node.Integer("axis", 0) is not (0 or -1)) throw node.Invalid("has an axis that is not 0");
        SetNames(node, names.Texts);
        Define(node.Outputs[0], Meaning.Label);
    }

    private void LinearClassifier(OnnxNode node)
    {
        node.RequireEnds(1, 2);
        RequireMeaning(node, node.Inputs[0], Meaning.Features);
        _ = node.Integer("multi_class", 0);                       // how it was trained; of no effect
        string transform = node.Text("post_transform", "NONE");
        IReadOnlyList<string> names = NamesOf(node, "classlabels_strings", "classlabels_ints");
        double[] coefficients = [.. node.Floats("coefficients")], intercepts = [.. node.Floats("intercepts")];
        if (intercepts.Length == 0) intercepts = new double[names.Count];
        if (names.Count < 2 || intercepts.Length != names.Count || coefficients.Length == 0 || coefficients.Length % names.Count != 0)
            throw node.Invalid($"has {coefficients.Length} coefficients and {intercepts.Length} intercepts for {names.Count} labels; a row of coefficients and an intercept for each of at least 2 are needed");
        if (transform == "LOGISTIC") HalveOpposites(node, coefficients, intercepts);
        else if (transform != "SOFTMAX") throw node.Invalid($"has the post_transform '{Excerpt.Of(transform)}'; only SOFTMAX, and LOGISTIC of two classes, are a softmax regression");

        SetParameters(node, coefficients, intercepts);
        SetNames(node, names);
        Define(node.Outputs[0], Meaning.Label);
        Define(node.Outputs[1], Meaning.Probabilities);
    }

    /// <summary>Of two classes with the scores −s and s, the logistic function gives softmax(−s/2, s/2).</summary>
    private static void HalveOpposites(OnnxNode node, double[] coefficients, double[] intercepts)
    {
        int half = coefficients.Length / 2;
        bool opposite = intercepts.Length == 2 && intercepts[0] == -intercepts[1];
        for (int i = 0; opposite && i < half; i++) opposite = coefficients[i] == -coefficients[half + i];
        if (!opposite) throw node.Invalid("has the post_transform LOGISTIC without being of two classes with opposite coefficients: one model per class against the rest is no softmax regression");
        for (int i = 0; i < coefficients.Length; i++) coefficients[i] /= 2;
        for (int c = 0; c < intercepts.Length; c++) intercepts[c] /= 2;
    }

    // Divides by the sum of magnitudes, which for probabilities is 1.
    private void Normalize(OnnxNode node)
    {
        node.RequireEnds(1, 1);
        RequireMeaning(node, node.Inputs[0], Meaning.Probabilities);
        string norm = node.Text("norm", "MAX");
        if (norm != "L1") throw node.Invalid($"has the norm '{Excerpt.Of(norm)}'; L1 is needed");
        Define(node.Outputs[0], Meaning.Probabilities);
    }

    private void ZipMap(OnnxNode node)
    {
        node.RequireEnds(1, 1);
        RequireMeaning(node, node.Inputs[0], Meaning.Probabilities);
        SetNames(node, NamesOf(node, "classlabels_strings", "classlabels_int64s"));
        Define(node.Outputs[0], Meaning.Table);
    }

    private static IReadOnlyList<string> NamesOf(OnnxNode node, string texts, string integers)
    {
        IReadOnlyList<string> names = node.Texts(texts);
        IReadOnlyList<long> numbers = node.Integers(integers);
        if (names.Count > 0 && numbers.Count > 0) throw node.Invalid("has labels both as texts and as numbers");
        return names.Count > 0 ? names : [.. numbers.Select(number => number.ToString(CultureInfo.InvariantCulture))];
    }

    private OnnxTensor Numbers(OnnxNode node, string name) =>
        _model.Constants.TryGetValue(name, out OnnxTensor? tensor) && tensor.Element is OnnxMessages.Element.Float or OnnxMessages.Element.Double
            ? tensor!
            : throw node.Invalid($"needs the numbers '{Excerpt.Of(name)}', which are no constant of floats");

    private static void RequireClassAxis(OnnxNode node, long standard)
    {
        long axis = node.Integer("axis", standard);
        if (axis is not (1 or -1)) throw node.Invalid($"works along axis {axis}; the classes are axis 1");
    }

    private void SetParameters(OnnxNode node, double[] coefficients, double[] intercepts)
    {
        if (_coefficients is not null) throw node.Invalid("is the second that multiplies by coefficients");
        _coefficients = coefficients;
        _intercepts = intercepts;
    }

    private void SetNames(OnnxNode node, IReadOnlyList<string> names)
    {
        if (_names is not null && !_names.SequenceEqual(names)) throw node.Invalid("has other labels than the operator before it");
        if (names.Distinct().Count() != names.Count) throw node.Invalid("has a label twice");
        _names = names;
    }

    private Meaning MeaningOf(OnnxNode node, string tensor) =>
        _meanings.TryGetValue(tensor, out Meaning meaning) ? meaning : throw node.Invalid($"takes '{Excerpt.Of(tensor)}', which nothing before it makes");

    private void RequireMeaning(OnnxNode node, string tensor, Meaning needed)
    {
        Meaning meaning = MeaningOf(node, tensor);
        if (meaning != needed) throw node.Invalid($"takes '{Excerpt.Of(tensor)}', which are {meaning} and not {needed}");
        if (meaning == Meaning.Features && tensor != _features) throw node.Invalid("takes the features from where another operator has already changed them");
    }

    private void Define(string tensor, Meaning meaning)
    {
        if (_model.Constants.ContainsKey(tensor) || !_meanings.TryAdd(tensor, meaning)) throw new InvalidDataException($"The tensor '{Excerpt.Of(tensor)}' is made twice.");
    }

    private void Advance(OnnxNode node) => _features = node.Outputs[0];

    private ModelContent ToContent()
    {
        if (_coefficients is null) throw new InvalidDataException("The file has no operator that multiplies the features by coefficients.");
        if (!_meanings.ContainsValue(Meaning.Probabilities)) throw new InvalidDataException("The file computes no probabilities.");
        foreach (string output in _model.Outputs)
            if (!_meanings.ContainsKey(output)) throw new InvalidDataException($"The output '{Excerpt.Of(output)}' is made by no operator.");
        int featureCount = _coefficients.Length / _intercepts.Length;
        if (_columns is > 0 && _columns != featureCount) throw new InvalidDataException($"The input has {_columns} features but the coefficients are for {featureCount}.");
        for (int i = _scalings.Count - 1; i >= 0; i--) Unscale(_scalings[i].Offsets, _scalings[i].Factors, featureCount);
        return OnnxMetadata.Complete(_model, _coefficients, _intercepts, _names);
    }

    /// <summary>W · ((x − o) ∘ s) + b = (W ∘ s) x + (b − W (s ∘ o)).</summary>
    private void Unscale(IReadOnlyList<double> offsets, IReadOnlyList<double> factors, int featureCount)
    {
        if (offsets.Count != 1 && offsets.Count != featureCount) throw new InvalidDataException($"A Scaler has {offsets.Count} offsets for {featureCount} features.");
        for (int i = 0; i < _coefficients!.Length; i++)
        {
            int feature = offsets.Count == 1 ? 0 : i % featureCount;
            _coefficients[i] *= factors[feature];
            _intercepts[i / featureCount] -= _coefficients[i] * offsets[feature];
        }
    }
}
