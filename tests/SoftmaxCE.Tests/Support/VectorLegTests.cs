using Xunit.Abstractions;

namespace SoftmaxCE.Tests;

public sealed class VectorLegTests(ITestOutputHelper output)
{
    [Fact]
    public void The_run_has_the_vector_width_it_was_started_for()
    {
        output.WriteLine($"vector width in use: {VectorWidth.Bits}");      // .ci/run reads it from the test results

        VectorWidth.Bits.Should().Be(VectorLeg.ExpectedBits);
    }
}
