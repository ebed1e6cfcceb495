namespace SoftmaxCE;

/// <summary>The parts of an ONNX file that a linear classifier needs. Field numbers are those of onnx.proto3; the depth of messages is fixed, and the number of each is bounded.</summary>
internal sealed class OnnxModel
{
    // A linear classifier has less than ten of each.
    private const int Most = 100;

    private readonly Dictionary<string, long> _operatorSets = [];
    private readonly Dictionary<string, string> _metadata = [];
    private readonly List<OnnxNode> _nodes = [];
    private readonly Dictionary<string, OnnxTensor> _constants = [];
    private readonly Dictionary<string, long?> _inputs = [];
    private readonly List<string> _outputs = [];

    /// <summary>The program that wrote the file.</summary>
    public string Producer { get; private set; } = "";

    /// <summary>Version of each set of operators, by domain; "" is the standard one.</summary>
    public IReadOnlyDictionary<string, long> OperatorSets => _operatorSets;

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    public IReadOnlyList<OnnxNode> Nodes => _nodes;

    public IReadOnlyDictionary<string, OnnxTensor> Constants => _constants;

    /// <summary>Inputs that are not constants, each with its number of columns when the file states it.</summary>
    public IEnumerable<KeyValuePair<string, long?>> Inputs => _inputs.Where(input => !_constants.ContainsKey(input.Key));

    public IReadOnlyList<string> Outputs => _outputs;

    /// <exception cref="InvalidDataException">The bytes are no ONNX file, or one with parts that no linear classifier has.</exception>
    public static OnnxModel Parse(ReadOnlySpan<byte> file)
    {
        OnnxModel model = new();
        bool hasGraph = false;
        ProtobufFields fields = new(file);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 2: model.Producer = fields.Text(); break;
                case 7:
                    if (hasGraph) throw new InvalidDataException("The file has two graphs.");
                    hasGraph = true;
                    model.ReadGraph(fields.Bytes());
                    break;
                case 8: model.ReadOperatorSet(fields.Bytes()); break;
                case 14: model.ReadMetadata(fields.Bytes()); break;
                case 25: throw new InvalidDataException("The file defines operators of its own.");
                default: break;                                   // versions, domain, documentation
            }
        }

        return hasGraph ? model : throw new InvalidDataException("The file has no graph.");
    }

    private void ReadGraph(ReadOnlySpan<byte> message)
    {
        ProtobufFields fields = new(message);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 1: _nodes.Add(OnnxNode.Parse(fields.Bytes())); break;
                case 5:
                    OnnxTensor constant = OnnxTensor.Parse(fields.Bytes());
                    if (!_constants.TryAdd(constant.Name, constant)) throw new InvalidDataException($"The constant '{Excerpt.Of(constant.Name)}' occurs twice.");
                    break;
                case 11:
                    (string name, long? columns) = ReadValue(fields.Bytes());
                    if (!_inputs.TryAdd(name, columns)) throw new InvalidDataException($"The input '{Excerpt.Of(name)}' occurs twice.");
                    break;
                case 12: _outputs.Add(ReadValue(fields.Bytes()).Name); break;
                default: break;                                   // name, documentation, shapes of what lies between
            }

            if (Math.Max(Math.Max(_nodes.Count, _constants.Count), Math.Max(_inputs.Count, _outputs.Count)) > Most)
                throw new InvalidDataException($"The graph has more than {Most} operators, constants, inputs or outputs; a linear classifier has a few.");
        }
    }

    private void ReadOperatorSet(ReadOnlySpan<byte> message)
    {
        string domain = "";
        long version = 0;
        ProtobufFields fields = new(message);
        while (fields.Next())
        {
            if (fields.Field == 1) domain = fields.Text();
            if (fields.Field == 2) version = fields.Integer();
        }

        if (domain == "ai.onnx") domain = "";
        if (!_operatorSets.TryAdd(domain, version)) throw new InvalidDataException($"The operator set '{Excerpt.Of(domain)}' occurs twice.");
    }

    private void ReadMetadata(ReadOnlySpan<byte> message)
    {
        string key = "", value = "";
        ProtobufFields fields = new(message);
        while (fields.Next())
        {
            if (fields.Field == 1) key = fields.Text();
            if (fields.Field == 2) value = fields.Text();
        }

        if (!_metadata.TryAdd(key, value)) throw new InvalidDataException($"The metadata '{Excerpt.Of(key)}' occurs twice.");
    }

    // Value: name 1, type 2. Type: tensor 1. Tensor: shape 2. Shape: dimension 1, of which the second are the columns. Dimension: number 1.
    private static (string Name, long? Columns) ReadValue(ReadOnlySpan<byte> message)
    {
        string name = "";
        ReadOnlySpan<byte> type = default;
        ProtobufFields fields = new(message);
        while (fields.Next())
        {
            if (fields.Field == 1) name = fields.Text();
            if (fields.Field == 2) type = fields.Bytes();
        }

        ReadOnlySpan<byte> columns = Inner(Inner(Inner(type, 1), 2), 1, place: 1);
        long? count = null;
        ProtobufFields dimension = new(columns);
        while (dimension.Next())
            if (dimension.Field == 1) count = dimension.Integer();
        return (name, count);
    }

    /// <summary>The bytes of an inner message: the one in the given place among those with this field number; empty when there is none.</summary>
    private static ReadOnlySpan<byte> Inner(ReadOnlySpan<byte> message, int field, int place = 0)
    {
        ProtobufFields fields = new(message);
        while (fields.Next())
            if (fields.Field == field && place-- == 0) return fields.Bytes();
        return default;
    }
}
