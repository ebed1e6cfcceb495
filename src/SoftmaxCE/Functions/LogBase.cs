using System.Numerics;

namespace SoftmaxCE;

/// <summary>Units of information: nats divided by the logarithm of the base.</summary>
internal static class LogBase
{
    public static T Convert<T>(T logBase, double nats)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double b = double.CreateTruncating(logBase);
        if (!(b > 0 && b != 1 && double.IsFinite(b)))
        {
            throw new ArgumentOutOfRangeException(nameof(logBase), logBase, "Must be finite, greater than 0 and not 1.");
        }

        return T.CreateTruncating(nats / Math.Log(b));
    }
}
