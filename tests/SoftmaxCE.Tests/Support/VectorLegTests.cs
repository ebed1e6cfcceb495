namespace SoftmaxCE.Tests;

public sealed class VectorLegTests
{
    [Fact]
    public void The_run_has_the_vector_width_it_was_started_for() => VectorLeg.HardwareBits.Should().Be(VectorLeg.ExpectedBits);
}
