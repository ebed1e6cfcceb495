using System.Globalization;
using System.Runtime.InteropServices;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace SoftmaxCE.Benchmarks;

/// <summary>A tensor of LibTorch, the C++ library under PyTorch, and its operators by name, through the C interface for code compiled ahead of time.</summary>
internal readonly unsafe partial struct TorchTensor : IDisposable
{
    private const string Library = "torch_cpu";
    private const int MostWords = 8;

    private readonly nint _handle;
    private readonly Array? _memory;        // keeps what the tensor stands in alive

    private TorchTensor(nint handle, Array? memory = null)
    {
        _handle = handle;
        _memory = memory;
    }

    /// <summary>Whether the native library is there: it weighs 500 MB, so only builds with -p:LibTorch=true bring it.</summary>
    public static bool IsAvailable { get; } = NativeLibrary.TryLoad(Library, typeof(TorchTensor).Assembly, null, out _);

    public static string Version
    {
        get
        {
            ulong version = AbiVersion();       // major, minor and patch from the highest byte down
            return string.Create(CultureInfo.InvariantCulture, $"{version >> 56}.{(version >> 48) & 0xFF}.{(version >> 40) & 0xFF}");
        }
    }

    /// <summary>The type float as an argument.</summary>
    public static long Float => FloatType();

    /// <summary>The tensor as the argument of its last call: operators consume the handles they are given.</summary>
    public long Owned => _handle;

    /// <summary>The first value.</summary>
    public float First
    {
        get
        {
            Check(DataPointer(_handle, out nint data));
            return *(float*)data;
        }
    }

    /// <summary>A copy of the values.</summary>
    public static TorchTensor Of(float[] values, params ReadOnlySpan<long> sizes) => Over(Logits.Pinned(values), FloatType(), sizes);

    /// <summary>The values as 64-bit numbers, which labels must be.</summary>
    public static TorchTensor Of(int[] values) => Over(Logits.Pinned(Array.ConvertAll(values, value => (long)value)), LongType(), [values.Length]);

    public static void SetThreads(int count) => SetThreadCount(count);

    /// <summary>The tensor as an argument, with a handle of its own.</summary>
    public long Argument()
    {
        Check(NewHandle(_handle, out nint copy));
        return copy;
    }

    /// <summary>An optional argument that is there, in a cell that the operator frees.</summary>
    public static long Optional(long argument)
    {
        long* cell = (long*)NativeMemory.Alloc(sizeof(long));
        *cell = argument;
        return (nint)cell;
    }

    /// <summary>Calls an operator whose arguments take one word each.</summary>
    public static TorchTensor Call(string name, params ReadOnlySpan<long> arguments) => CallForTwo(name, arguments).First;

    /// <summary>Calls an operator with two results.</summary>
    public static (TorchTensor First, TorchTensor Second) CallForTwo(string name, params ReadOnlySpan<long> arguments)
    {
        long* words = stackalloc long[MostWords];
        arguments.CopyTo(new Span<long>(words, MostWords));
        Check(CallDispatcher(name, "", words));
        return (new((nint)words[0]), new((nint)words[1]));
    }

    public void Dispose() => Check(Delete(_handle));

    private static TorchTensor Over<T>(T[] pinned, int type, ReadOnlySpan<long> sizes)
    {
        long* lengths = stackalloc long[MostWords], strides = stackalloc long[MostWords];
        long stride = 1;
        for (int i = sizes.Length - 1; i >= 0; i--)
        {
            (lengths[i], strides[i]) = (sizes[i], stride);
            stride *= sizes[i];
        }

        Check(FromBlob(Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0), sizes.Length, lengths, strides, 0, type, 0, 0, out nint handle));
        return new(handle, pinned);
    }

    private static void Check(int error)
    {
        if (error != 0) throw new InvalidOperationException("LibTorch has written what is wrong to the standard error stream.");
    }

    [LibraryImport(Library, EntryPoint = "aoti_torch_abi_version")]
    private static partial ulong AbiVersion();

    [LibraryImport(Library, EntryPoint = "aoti_torch_dtype_float32")]
    private static partial int FloatType();

    [LibraryImport(Library, EntryPoint = "aoti_torch_dtype_int64")]
    private static partial int LongType();

    [LibraryImport(Library, EntryPoint = "aoti_torch_create_tensor_from_blob")]
    private static partial int FromBlob(nint data, long dimensions, long* sizes, long* strides, long offset, int type, int deviceType, int device, out nint handle);

    [LibraryImport(Library, EntryPoint = "aoti_torch_new_tensor_handle")]
    private static partial int NewHandle(nint handle, out nint copy);

    [LibraryImport(Library, EntryPoint = "aoti_torch_delete_tensor_object")]
    private static partial int Delete(nint handle);

    [LibraryImport(Library, EntryPoint = "aoti_torch_get_data_ptr")]
    private static partial int DataPointer(nint handle, out nint data);

    [LibraryImport(Library, EntryPoint = "aoti_torch_call_dispatcher", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CallDispatcher(string name, string overload, long* words);

    // at::set_num_threads(int), which the C interface lacks.
    [LibraryImport(Library, EntryPoint = "_ZN2at15set_num_threadsEi")]
    private static partial void SetThreadCount(int count);
}
