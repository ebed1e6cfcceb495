using System.Runtime.InteropServices;

namespace SoftmaxCE;

/// <summary>Arrays that the garbage collector does not move, for kernels that work on pointers over many calls.</summary>
internal static unsafe class PinnedMemory
{
    /// <summary>Not zeroed.</summary>
    public static T[] Allocate<T>(int length)
        where T : unmanaged => GC.AllocateUninitializedArray<T>(length, pinned: true);

    /// <summary>The first element of an array made by <see cref="Allocate"/>; valid while the array is referenced.</summary>
    public static T* Pointer<T>(T[] pinned)
        where T : unmanaged => (T*)Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
}
