using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>How methods with loops over vectors are compiled.</summary>
/// <remarks>
/// The runtime first compiles a method quickly, inlines nothing, and compiles it again after 30 calls on a thread of its own. A loop in which every
/// vector operation is a call takes 20 to 100 times as long until then, for seconds where no core is idle; and there is nothing that the second
/// compilation could learn from the first. So these methods are compiled once, with all optimizations, when they are first called.
/// </remarks>
internal static class LoopMethod
{
    public const MethodImplOptions Compiled = MethodImplOptions.AggressiveOptimization;

    /// <summary>And never as part of another method: several loops in one do not get the registers they need.</summary>
    public const MethodImplOptions Apart = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;
}
