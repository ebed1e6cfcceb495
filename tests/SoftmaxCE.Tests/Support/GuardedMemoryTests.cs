using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace SoftmaxCE.Tests;

public sealed class GuardedMemoryTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(1024)]
    [InlineData(5000)]
    public void Values_end_or_start_flush_at_a_page_that_cannot_be_read(int length)
    {
        using GuardedMemory<float> ending = GuardedMemory.Random(length, seed: length);
        using GuardedMemory<float> starting = GuardedMemory.Random(length, seed: length, GuardSide.Before);

        IsReadable(ending.Neighbours.After).Should().BeFalse();
        IsReadable(starting.Neighbours.Before).Should().BeFalse();
        ending.ReadOnlySpan.ToArray().Should().Equal(starting.Original.ToArray());
    }

    [Fact]
    public void The_values_themselves_can_be_read_and_written()
    {
        using GuardedMemory<double> memory = GuardedMemory.CopyOf<double>([1, 2, 3]);
        memory.Span[2] = 5;

        memory.ReadOnlySpan.ToArray().Should().Equal(1, 2, 5);
        memory.Original.ToArray().Should().Equal(1, 2, 3);
        IsReadable(memory.Neighbours.After - 1).Should().BeTrue();
    }

    [Fact]
    public void Random_values_repeat_with_the_seed_and_differ_in_every_lane()
    {
        using GuardedMemory<float> first = GuardedMemory.Random(260, seed: 3);
        using GuardedMemory<float> again = GuardedMemory.Random(260, seed: 3);

        first.Original.ToArray().Should().Equal(again.Original.ToArray()).And.OnlyHaveUniqueItems();
    }

    [Fact]
    public void Freed_memory_is_not_handed_out()
    {
        GuardedMemory<float> memory = GuardedMemory.Zeros<float>(4);
        memory.Dispose();

        FluentActions.Invoking(() => memory.Span.Length).Should().Throw<ObjectDisposedException>();
    }

    /// <summary>Lets the operating system read the byte: it answers with an error where the process itself would crash.</summary>
    private static unsafe bool IsReadable(nint address)
    {
        string path = Path.Combine(Path.GetTempPath(), "softmaxce-" + Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture));
        using SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, options: FileOptions.DeleteOnClose);
        try
        {
            RandomAccess.Write(file, new ReadOnlySpan<byte>((void*)address, 1), 0);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
