namespace SoftmaxCE;

/// <summary>Steps s and the changes y = H s of the gradient along them: what turns an approximate inverse Hessian into a better one (Nocedal, Wright, algorithm 7.4).</summary>
/// <param name="most">Pairs that are kept: the newest.</param>
internal sealed class CurvaturePairs(int most)
{
    private readonly List<(double[] Step, double[] Change, double Inverse)> _pairs = [];
    private readonly double[] _factors = new double[most];
    private double[] _rest = [];

    public int Count => _pairs.Count;

    public void Clear() => _pairs.Clear();

    /// <summary>Keeps a pair of arrays that nobody changes any more; <paramref name="curvature"/> is sᵀy &gt; 0.</summary>
    public void Add(double[] step, double[] change, double curvature)
    {
        if (most == 0) return;
        if (_pairs.Count == most) _pairs.RemoveAt(0);
        _pairs.Add((step, change, 1 / curvature));
    }

    /// <summary>result = (inverse Hessian) · vector.</summary>
    /// <param name="first">The inverse Hessian without the pairs.</param>
    /// <param name="followsCurvature">Whether that is scaled to the newest pair.</param>
    /// <param name="vector">The vector.</param>
    /// <param name="result">Overwritten.</param>
    public void Apply(SpectralPreconditioner first, bool followsCurvature, ReadOnlySpan<double> vector, Span<double> result)
    {
        if (_pairs.Count == 0)
        {
            first.Apply(vector, result);
            return;
        }

        if (_rest.Length != vector.Length) _rest = new double[vector.Length];
        vector.CopyTo(_rest);
        for (int i = _pairs.Count - 1; i >= 0; i--)
        {
            _factors[i] = _pairs[i].Inverse * DoubleVectors.Dot(_pairs[i].Step, _rest);
            DoubleVectors.AddScaled(_pairs[i].Change, -_factors[i], _rest);
        }

        first.Apply(_rest, result);
        double scale = followsCurvature ? Scale(first) : 1;
        for (int i = 0; scale != 1 && i < result.Length; i++) result[i] *= scale;
        for (int i = 0; i < _pairs.Count; i++)
        {
            double along = _pairs[i].Inverse * DoubleVectors.Dot(_pairs[i].Change, result);
            DoubleVectors.AddScaled(_pairs[i].Step, _factors[i] - along, result);
        }
    }

    public SolverState AddTo(SolverState state)
    {
        state.Add("pairs", _pairs.Count);
        for (int i = 0; i < _pairs.Count; i++)
        {
            state.AddFinal($"step{i}", _pairs[i].Step).AddFinal($"change{i}", _pairs[i].Change).Add($"inverse{i}", _pairs[i].Inverse);
        }

        return state;
    }

    public void Restore(SolverState state, int length)
    {
        for (int i = 0; i < state.Count("pairs"); i++) _pairs.Add((state.Vector($"step{i}", length), state.Vector($"change{i}", length), state.Number($"inverse{i}")));
    }

    /// <summary>sᵀy / yᵀM⁻¹y of the newest pair: what the curvature has become since the preconditioner was made.</summary>
    private double Scale(SpectralPreconditioner preconditioner)
    {
        (double[] _, double[] change, double inverse) = _pairs[^1];
        preconditioner.Apply(change, _rest);
        double along = DoubleVectors.Dot(change, _rest);
        return along > 0 ? 1 / (inverse * along) : 1;
    }
}
