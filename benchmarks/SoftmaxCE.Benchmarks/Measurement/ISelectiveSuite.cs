namespace SoftmaxCE.Benchmarks;

/// <summary>A suite with contenders that are not there on every machine.</summary>
internal interface ISelectiveSuite
{
    bool Includes(string method);
}
