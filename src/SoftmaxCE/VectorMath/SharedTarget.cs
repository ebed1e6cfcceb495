namespace SoftmaxCE;

/// <summary>Which classes share in the target beside the label.</summary>
internal interface ISharedTarget
{
    static abstract bool Exists { get; }

    static abstract bool IsOfRow { get; }
}

/// <summary>The kinds of <see cref="ISharedTarget"/>.</summary>
internal static class SharedTarget
{
    public readonly struct None : ISharedTarget
    {
        public static bool Exists => false;

        public static bool IsOfRow => false;
    }

    /// <summary>The same for every row: one value per class.</summary>
    public readonly struct OfClass : ISharedTarget
    {
        public static bool Exists => true;

        public static bool IsOfRow => false;
    }

    /// <summary>A distribution per row.</summary>
    public readonly struct OfRow : ISharedTarget
    {
        public static bool Exists => true;

        public static bool IsOfRow => true;
    }
}
