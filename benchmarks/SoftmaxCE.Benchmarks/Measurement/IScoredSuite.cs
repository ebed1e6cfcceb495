namespace SoftmaxCE.Benchmarks;

/// <summary>A suite whose contenders differ in what they reach and not in time alone.</summary>
internal interface IScoredSuite
{
    /// <summary>What the last call of a method reached, in words and numbers for the table.</summary>
    string Score(string method);
}
