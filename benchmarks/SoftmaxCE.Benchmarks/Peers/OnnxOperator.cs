using Microsoft.ML.OnnxRuntime;

namespace SoftmaxCE.Benchmarks;

/// <summary>
/// One operator of OnnxRuntime on the CPU, reading and writing arrays of ours: tensors are bound once, so that a call is the
/// operator and OnnxRuntime's own overhead, with no copy and no allocation of tensors.
/// </summary>
internal sealed class OnnxOperator<T> : IDisposable
    where T : unmanaged
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly string[] _inputNames = [OnnxModel.InputName];
    private readonly string[] _outputNames = [OnnxModel.OutputName];
    private readonly OrtValue _input;
    private readonly OrtValue _output;
    private readonly OrtValue[] _inputs;
    private readonly OrtValue[] _outputs;

    private OnnxOperator(byte[] model, T[] input, long[] inputShape, T[] output, long[] outputShape, int threads)
    {
        using SessionOptions options = new() { IntraOpNumThreads = threads, InterOpNumThreads = 1, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL };
        _session = new InferenceSession(model, options);
        _input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, input.AsMemory(), inputShape);
        _output = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, output.AsMemory(), outputShape);
        _inputs = [_input];
        _outputs = [_output];
    }

    // onnx.proto, TensorProto.DataType
    private static int ElementType => typeof(T) == typeof(float) ? 1 : typeof(T) == typeof(double) ? 11 : throw new NotSupportedException();

    public static OnnxOperator<T> Softmax(Shape shape, T[] logits, T[] destination, int threads = 1) =>
        AlongRows("Softmax", shape, logits, destination, threads);

    public static OnnxOperator<T> LogSoftmax(Shape shape, T[] logits, T[] destination, int threads = 1) =>
        AlongRows("LogSoftmax", shape, logits, destination, threads);

    /// <summary>Softmax along the first axis of a matrix: over the rows, for each column.</summary>
    public static OnnxOperator<T> SoftmaxOfColumns(Shape shape, T[] logits, T[] destination) =>
        new(OnnxModel.AlongAxis("Softmax", ElementType, axis: 0), logits, [shape.Rows, shape.Classes], destination, [shape.Rows, shape.Classes], threads: 1);

    public static OnnxOperator<T> LogSumExp(Shape shape, T[] logits, T[] destination) =>
        new(OnnxModel.ReduceLogSumExp(ElementType), logits, [shape.Rows, shape.Classes], destination, [shape.Rows], threads: 1);

    public void Run() => _session.Run(_options, _inputNames, _inputs, _outputNames, _outputs);

    public void Dispose()
    {
        _input.Dispose();
        _output.Dispose();
        _options.Dispose();
        _session.Dispose();
    }

    private static OnnxOperator<T> AlongRows(string operation, Shape shape, T[] logits, T[] destination, int threads) =>
        new(OnnxModel.AlongAxis(operation, ElementType, axis: -1), logits, [shape.Rows, shape.Classes], destination, [shape.Rows, shape.Classes], threads);
}
