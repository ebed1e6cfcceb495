namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_new_file_holds_what_was_written()
    {
        string path = _folder.File("new");
        AtomicFile.Write(path, stream => stream.Write("content"u8));
        File.ReadAllText(path).Should().Be("content");
        Directory.GetFiles(_folder.Path).Should().Equal(path);
    }

    [Fact]
    public void A_failure_halfway_leaves_the_old_file_whole_and_nothing_beside_it()
    {
        string path = _folder.File("old");
        File.WriteAllText(path, "old content");
        Action write = () => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[100_000]);
            throw new IOException("No space left on device");
        });
        write.Should().Throw<IOException>().WithMessage("No space*");
        File.ReadAllText(path).Should().Be("old content");
        Directory.GetFiles(_folder.Path).Should().Equal(path);
    }

    [Fact]
    public void Until_the_content_is_complete_readers_see_the_old_file()
    {
        string path = _folder.File("old");
        File.WriteAllText(path, "old content");
        AtomicFile.Write(path, stream =>
        {
            stream.Write("new"u8);
            stream.Flush();
            File.ReadAllText(path).Should().Be("old content");
        });
        File.ReadAllText(path).Should().Be("new");
    }

    [Fact]
    public void A_link_keeps_pointing_to_the_file_that_is_replaced()
    {
        string target = _folder.File("target");
        string link = _folder.File("link");
        File.WriteAllText(target, "old");
        try
        {
            File.CreateSymbolicLink(link, target);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            return;                                               // Windows without the right to make links
        }

        AtomicFile.Write(link, stream => stream.Write("new"u8));
        File.ReadAllText(target).Should().Be("new");
        new FileInfo(link).LinkTarget.Should().Be(target);
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_an_error()
    {
        Action write = () => AtomicFile.Write(_folder.File("no/such/folder"), stream => stream.WriteByte(1));
        write.Should().Throw<DirectoryNotFoundException>();
    }
}
