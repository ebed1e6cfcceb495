using System.Numerics;

namespace SoftmaxCE;

/// <summary>The Gumbel-max trick: of all that enter with a tempered logit, the one with the largest sum of logit and noise is a draw from their softmax.</summary>
/// <remarks>
/// The two logarithms of the noise cost more than all the rest, and nearly every entrant has lost without them: −ln u ≥ 1 − u, so the noise is
/// at most −ln(1 − u), and that is at most ln 2 for each leading zero of 1 − u and one more.
/// </remarks>
internal struct GumbelRace(ulong seed)
{
    private const double Ln2RoundedUp = 0.69315;

    private readonly ulong _start = GumbelNoise.Start(seed);
    private double _best = double.NegativeInfinity;

    /// <summary>The number of the winner so far; −1 when nobody with a finite logit has entered.</summary>
    public int Winner { get; private set; } = -1;

    /// <param name="number">Who enters.</param>
    /// <param name="tempered">Its logit, divided by the temperature.</param>
    /// <param name="noise">The index of its noise.</param>
    public void Enter(int number, double tempered, ulong noise)
    {
        ulong bits = GumbelNoise.Bits(_start, noise);
        if (!(tempered + ((BitOperations.LeadingZeroCount(~bits | 1024) + 1) * Ln2RoundedUp) > _best)) return;
        double key = tempered + GumbelNoise.Of(bits);
        if (key > _best) (_best, Winner) = (key, number);
    }

    /// <summary>Noise from smaller bits than these cannot win for a logit up to <paramref name="tempered"/>.</summary>
    public readonly ulong LeastBits(double tempered)
    {
        // As many leading ones as Enter asks for; rounding must not make it one more.
        int ones = (int)Math.Clamp(Math.Floor(((_best - tempered) / Ln2RoundedUp) - 1e-9), 0, 53);
        return ones == 0 ? 0 : ulong.MaxValue << (64 - ones);
    }
}
