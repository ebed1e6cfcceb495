using System.Numerics;

namespace SoftmaxCE;

/// <summary>Random numbers from a seed, the same on every runtime: SplitMix64 (Steele, Lea, Flood 2014).</summary>
internal struct RandomStream(ulong state)
{
    private ulong _state = state;

    public RandomStream(int seed)
        : this((ulong)seed)
    {
    }

    /// <summary>From which another stream goes on alike.</summary>
    public readonly ulong State => _state;

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A whole number in [0, limit); the bias, limit / 2⁶⁴, is of no effect.</summary>
    public int Below(int limit) => (int)Math.BigMul(Next(), (ulong)limit, out _);

    /// <summary>Uniform in (0, 1).</summary>
    public double Uniform() => ((Next() >> 11) + 0.5) * (1.0 / 9007199254740992.0);

    /// <summary>+1 or −1.</summary>
    public double Sign() => (BitOperations.PopCount(Next() >> 63) * 2) - 1;

    /// <summary>Fisher-Yates.</summary>
    public void Shuffle(Span<int> values)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int k = Below(i + 1);
            (values[i], values[k]) = (values[k], values[i]);
        }
    }
}
