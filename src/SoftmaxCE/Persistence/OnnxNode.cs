namespace SoftmaxCE;

/// <summary>
/// An operator of an ONNX graph. Attributes are taken from it one by one by name; what is left over is an attribute that the reader does
/// not know, and so a meaning that it would miss.
/// </summary>
internal sealed class OnnxNode
{
    // More than a linear classifier has; bounds the memory that a file of many tiny messages can take.
    private const int MostAttributes = 20;
    private const int MostEnds = 20;

    private readonly List<string> _inputs = [];
    private readonly List<string> _outputs = [];
    private readonly Dictionary<string, OnnxAttribute> _attributes = [];

    public string Domain { get; private set; } = "";

    public string Operation { get; private set; } = "";

    public IReadOnlyList<string> Inputs => _inputs;

    public IReadOnlyList<string> Outputs => _outputs;

    public static OnnxNode Parse(ReadOnlySpan<byte> message)
    {
        OnnxNode node = new();
        ProtobufFields fields = new(message);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 1: node._inputs.Add(fields.Text()); break;
                case 2: node._outputs.Add(fields.Text()); break;
                case 4: node.Operation = fields.Text(); break;
                case 5: node.Add(OnnxAttribute.Parse(fields.Bytes())); break;
                case 7: node.Domain = fields.Text(); break;
                default: break;                                   // its own name and documentation
            }

            if (node._inputs.Count > MostEnds || node._outputs.Count > MostEnds) throw new InvalidDataException($"{node} has more than {MostEnds} inputs or outputs.");
        }

        if (node.Domain == "ai.onnx") node.Domain = "";           // another name of the standard operators
        return node;
    }

    public long Integer(string name, long standard) => Take(name, OnnxMessages.AttributeKind.Integer)?.Integer ?? standard;

    public double Float(string name, double standard) => Take(name, OnnxMessages.AttributeKind.Float)?.Float ?? standard;

    public string Text(string name, string standard) => Take(name, OnnxMessages.AttributeKind.Text)?.Text ?? standard;

    /// <summary>A list of floats; empty when there is none.</summary>
    public IReadOnlyList<double> Floats(string name) => Take(name, OnnxMessages.AttributeKind.Floats)?.Floats ?? [];

    /// <summary>A list of integers; empty when there is none.</summary>
    public IReadOnlyList<long> Integers(string name) => Take(name, OnnxMessages.AttributeKind.Integers)?.Integers ?? [];

    /// <summary>A list of texts; empty when there is none.</summary>
    public IReadOnlyList<string> Texts(string name) => Take(name, OnnxMessages.AttributeKind.Texts)?.Texts ?? [];

    public void RequireAllAttributesRead()
    {
        if (_attributes.Count > 0) throw Invalid($"has the attribute '{Excerpt.Of(_attributes.Keys.First())}', which this library does not know");
    }

    public void RequireEnds(int inputs, int outputs)
    {
        if (_inputs.Count != inputs || _outputs.Count != outputs)
            throw Invalid($"has {_inputs.Count} inputs and {_outputs.Count} outputs; {inputs} and {outputs} are needed");
    }

    public InvalidDataException Invalid(string what) => new($"{this} {what}.");

    public override string ToString() => Domain.Length == 0 ? $"The operator {Excerpt.Of(Operation)}" : $"The operator {Excerpt.Of(Domain)}.{Excerpt.Of(Operation)}";

    private void Add(OnnxAttribute attribute)
    {
        if (_attributes.Count == MostAttributes) throw Invalid($"has more than {MostAttributes} attributes");
        if (!_attributes.TryAdd(attribute.Name, attribute)) throw Invalid($"has the attribute '{Excerpt.Of(attribute.Name)}' twice");
    }

    private OnnxAttribute? Take(string name, OnnxMessages.AttributeKind kind)
    {
        if (!_attributes.Remove(name, out OnnxAttribute? attribute)) return null;
        return attribute.Kind == kind ? attribute : throw Invalid($"has the attribute '{name}' of kind {(long)attribute.Kind}; {(long)kind} is needed");
    }
}

/// <summary>A named constant of an operator; the value of its kind is set, the others are empty.</summary>
internal sealed record OnnxAttribute(
    string Name, OnnxMessages.AttributeKind Kind, long Integer, double Float, string Text, IReadOnlyList<double> Floats, IReadOnlyList<long> Integers, IReadOnlyList<string> Texts)
{
    public static OnnxAttribute Parse(ReadOnlySpan<byte> message)
    {
        string name = "", text = "";
        long integer = 0, kind = 0;
        double number = 0;
        List<double> floats = [];
        List<long> integers = [];
        List<string> texts = [];
        ProtobufFields fields = new(message);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 1: name = fields.Text(); break;
                case 2: number = fields.Float(); break;
                case 3: integer = fields.Integer(); break;
                case 4: text = fields.Text(); break;
                case 7: fields.AddFloats(floats); break;
                case 8: fields.AddIntegers(integers); break;
                case 9: texts.Add(fields.Text()); break;
                case 20: kind = fields.Integer(); break;
                default: break;                                   // documentation, and values of kinds that no linear classifier has
            }
        }

        return new OnnxAttribute(name, (OnnxMessages.AttributeKind)kind, integer, number, text, floats, integers, texts);
    }
}
