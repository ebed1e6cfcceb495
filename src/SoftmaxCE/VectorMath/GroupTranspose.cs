using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>Turns a group of rows, at most as many as a vector has lanes, so that each vector holds one class of all rows, and back.</summary>
internal static unsafe class GroupTranspose
{
    /// <summary>Values behind the last group that <see cref="Back"/> may read.</summary>
    public static int Slack(int lanes) => lanes * lanes;

    /// <summary>[rows, count] to [count, lanes]; lanes without a row hold anything. <paramref name="readable"/> values from <paramref name="source"/> on may be read.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static void Into<T>(T* source, nint readable, int rows, int count, T* group, int lanes)
        where T : unmanaged
    {
        for (int block = 0; block < count; block += lanes)
        {
            int c = BlockStart(block, count, lanes);
            SimdTranspose.Block(
                source + c, count, rows, Math.Min(lanes, count - c), readable - c, group + (c * lanes), lanes, (nint)(count - c) * lanes);
        }
    }

    /// <summary>[count, lanes] to [rows, count].</summary>
    [MethodImpl(LoopMethod.Compiled)]
    public static void Back<T>(T* group, int lanes, int count, T* destination, int rows)
        where T : unmanaged
    {
        for (int block = 0; block < count; block += lanes)
        {
            int c = BlockStart(block, count, lanes), columns = Math.Min(lanes, count - c);
            SimdTranspose.Block(group + (c * lanes), lanes, columns, rows, Slack(lanes), destination + c, count, ((nint)rows * count) - c);
        }
    }

    /// <summary>The last block of columns is a whole one, too, where there are enough columns: it overlaps the one before.</summary>
    private static int BlockStart(int block, int count, int lanes) => Math.Max(0, Math.Min(block, count - lanes));
}
