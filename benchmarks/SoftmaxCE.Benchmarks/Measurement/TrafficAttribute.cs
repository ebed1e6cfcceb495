namespace SoftmaxCE.Benchmarks;

/// <summary>
/// The bytes per value that any way of doing this work must move at least: inputs and outputs, each once. GB/s in the tables is
/// this number by the time, so that it compares with the bandwidth of a plain sum in the same run.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TrafficAttribute(int bytesPerValue) : Attribute
{
    public int BytesPerValue { get; } = bytesPerValue;
}
