using System.ComponentModel;
using System.Runtime.InteropServices;

namespace SoftmaxCE.Tests;

/// <summary>Whole pages from the operating system, and the right to touch them taken away again.</summary>
internal static unsafe partial class PageMemory
{
    private const int WindowsCommitAndReserve = 0x3000;
    private const int WindowsRelease = 0x8000;
    private const int WindowsReadWrite = 0x04;
    private const int WindowsNoAccess = 0x01;
    private const int UnixNoAccess = 0;
    private const int UnixReadWrite = 3;
    private const int UnixPrivate = 0x02;
    private const int LinuxAnonymous = 0x20;
    private const int MacAnonymous = 0x1000;

    public static byte* Allocate(nuint byteCount)
    {
        if (OperatingSystem.IsWindows())
        {
            byte* pages = (byte*)VirtualAlloc(null, byteCount, WindowsCommitAndReserve, WindowsReadWrite);
            return pages is not null ? pages : throw new Win32Exception();
        }

        int anonymous = OperatingSystem.IsMacOS() ? MacAnonymous : LinuxAnonymous;
        void* mapped = Map(null, byteCount, UnixReadWrite, UnixPrivate | anonymous, -1, 0);
        return (nint)mapped != -1 ? (byte*)mapped : throw new Win32Exception();
    }

    /// <summary>From now on any access to the pages ends the process.</summary>
    public static void Forbid(byte* pages, nuint byteCount)
    {
        bool done = OperatingSystem.IsWindows()
            ? VirtualProtect(pages, byteCount, WindowsNoAccess, out _) != 0
            : Protect(pages, byteCount, UnixNoAccess) == 0;
        if (!done) throw new Win32Exception();
    }

    public static void Free(byte* pages, nuint byteCount)
    {
        bool done = OperatingSystem.IsWindows() ? VirtualFree(pages, 0, WindowsRelease) != 0 : Unmap(pages, byteCount) == 0;
        if (!done) throw new Win32Exception();
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* Map(void* address, nuint byteCount, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Protect(void* address, nuint byteCount, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unmap(void* address, nuint byteCount);

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial void* VirtualAlloc(void* address, nuint byteCount, int kind, int protection);

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int VirtualProtect(void* address, nuint byteCount, int protection, out int previous);

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int VirtualFree(void* address, nuint byteCount, int kind);
}
