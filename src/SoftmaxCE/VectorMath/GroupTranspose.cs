namespace SoftmaxCE;

/// <summary>Turns a group of rows, at most as many as a vector has lanes, so that each vector holds one class of all rows, and back.</summary>
internal static unsafe class GroupTranspose
{
    /// <summary>[rows, count] to [count, lanes]; lanes without a row hold anything.</summary>
    public static void Into<T>(T* source, int rows, int count, T* group, int lanes)
        where T : unmanaged
    {
        for (int block = 0; block < count; block += lanes)
        {
            int c = BlockStart(block, count, lanes);
            SimdTranspose.Block(
                source + c, count, rows, Math.Min(lanes, count - c), ((nint)rows * count) - c, group + (c * lanes), lanes, (nint)(count - c) * lanes);
        }
    }

    /// <summary>[count, lanes] to [rows, count].</summary>
    public static void Back<T>(T* group, int lanes, int count, T* destination, int rows)
        where T : unmanaged
    {
        for (int block = 0; block < count; block += lanes)
        {
            int c = BlockStart(block, count, lanes), columns = Math.Min(lanes, count - c);
            SimdTranspose.Block(group + (c * lanes), lanes, columns, rows, (nint)columns * lanes, destination + c, count, ((nint)rows * count) - c);
        }
    }

    /// <summary>The last block of columns is a whole one, too, where there are enough columns: it overlaps the one before.</summary>
    private static int BlockStart(int block, int count, int lanes) => Math.Max(0, Math.Min(block, count - lanes));
}
