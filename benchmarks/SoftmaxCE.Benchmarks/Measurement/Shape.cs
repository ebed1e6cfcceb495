using System.Globalization;

namespace SoftmaxCE.Benchmarks;

/// <summary>Rows of logits, one row after the other.</summary>
public readonly record struct Shape(int Rows, int Classes)
{
    public long Values => (long)Rows * Classes;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Rows} x {Classes}");
}
