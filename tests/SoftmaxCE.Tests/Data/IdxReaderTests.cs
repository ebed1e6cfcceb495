using System.Buffers.Binary;
using System.IO.Compression;
using CsCheck;

namespace SoftmaxCE.Tests;

[Trait(VectorLeg.Trait, VectorLeg.WidestOnly)]
public class IdxReaderTests
{
    private static readonly byte[] TwoImages = File([2, 2, 3], [0, 51, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9]);

    [Fact]
    public void Reads_images_as_scaled_bytes()
    {
        DenseRows<byte> rows = Images(TwoImages);
        rows.RowCount.Should().Be(2);
        rows.FeatureCount.Should().Be(6);
        rows.Values.ToArray().Should().Equal(0, 51, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        rows.Scale.Should().Be(1.0 / 255);
    }

    [Fact]
    public void Reads_labels() => Labels(File([4], [0, 9, 255, 3])).Should().Equal(0, 9, 255, 3);

    [Fact]
    public void Compressed_files_read_the_same()
    {
        Images(Compressed(TwoImages)).Values.ToArray().Should().Equal(Images(TwoImages).Values.ToArray());
        Labels(Compressed(File([2], [7, 8]))).Should().Equal(7, 8);
    }

    [Fact]
    public void Files_on_disk_read_the_same()
    {
        string path = Path.GetTempFileName();
        System.IO.File.WriteAllBytes(path, Compressed(TwoImages));
        IdxReader.ReadImages(path).Values.ToArray().Should().Equal(Images(TwoImages).Values.ToArray());
        System.IO.File.WriteAllBytes(path, File([1], [5]));
        IdxReader.ReadLabels(path).Should().Equal(5);
        System.IO.File.Delete(path);
    }

    [Fact]
    public void A_set_larger_than_one_read_is_complete()
    {
        byte[] pixels = new byte[300 * 28 * 28];
        new Random(1).NextBytes(pixels);
        Images(Compressed(File([300, 28, 28], pixels))).Values.Span.SequenceEqual(pixels).Should().BeTrue();
    }

    [Fact]
    public void No_rows_are_fine()
    {
        Images(File([0, 28, 28], [])).FeatureCount.Should().Be(784);
        Labels(File([0], [])).Should().BeEmpty();
    }

    [Fact]
    public void Every_truncation_and_extension_is_refused_with_its_place()
    {
        for (int length = 0; length < TwoImages.Length; length++) Refuses(TwoImages[..length], "Byte *ends*");
        Refuses([.. TwoImages, 0], "Byte 28: there are more than the 12 values*");
    }

    [Fact]
    public void A_compressed_file_with_any_byte_changed_or_cut_off_never_gives_other_images()
    {
        byte[] compressed = Compressed(TwoImages);
        for (int length = 0; length < compressed.Length; length++) GivesTheTwoImagesOrRefuses(compressed[..length]);
        for (int at = 0; at < compressed.Length; at++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] changed = [.. compressed];
                changed[at] ^= (byte)(1 << bit);
                GivesTheTwoImagesOrRefuses(changed);
            }
        }
    }

    [Fact]
    public void What_is_wrong_is_named_with_its_place()
    {
        Refuses([1, 0, 8, 1, 0, 0, 0, 0], "Byte 0:*two zero bytes*");
        Refuses([0, 0, 13, 1, 0, 0, 0, 0], "Byte 2:*type 13*");
        Refuses([0, 0, 8, 0], "Byte 3: no dimensions*");
        Refuses(File([2], [1, 2]), "Byte 3: one dimension*");
        Refuses(File([2, 0], []), "Byte 4: an image has no pixels*");
        Refuses(File([-1, 1], []), "Byte 4: a dimension of 4294967295*");
        Refuses(File([2, 65536, 65536], []), "Byte 8:*more than 2^31 values*");
        Refuses(File([0, 65536, 65537], []), "Byte 8:*more than 2^31 values*");
        Action labels = () => Labels(TwoImages);
        labels.Should().Throw<InvalidDataException>().WithMessage("Byte 3: 3 dimensions*");
    }

    [Fact]
    public void A_false_size_takes_no_memory()
    {
        byte[] file = File([2_000_000_000, 1], new byte[100]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refuses(file, "Byte 112: the file ends here*2000000000 values*");
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(1_000_000);
    }

    [Fact]
    public void Any_bytes_at_all_are_read_or_refused()
    {
        Gen.Select(Gen.Bool, Gen.Int[0, 3], Gen.Byte.Array[0, 40]).Sample((compressed, dimensions, noise) =>
        {
            byte[] file = [0, 0, 8, (byte)dimensions, .. noise.Select((value, i) => i < 4 * dimensions && i % 4 != 3 ? (byte)0 : (byte)(value % 4))];
            return ReadsOrRefuses(compressed ? Compressed(file) : file) && ReadsOrRefuses(noise) && ReadsOrRefuses([0x1F, 0x8B, .. noise]);
        }, iter: 3000);
    }

    private static void GivesTheTwoImagesOrRefuses(byte[] file)
    {
        try
        {
            Images(file).Values.ToArray().Should().Equal(Images(TwoImages).Values.ToArray());
        }
        catch (InvalidDataException)
        {
            // Refused, as it should be.
        }
    }

    private static bool ReadsOrRefuses(byte[] file)
    {
        try
        {
            return Images(file).FeatureCount > 0;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }

    private static byte[] File(int[] dimensions, byte[] values)
    {
        byte[] sizes = new byte[4 * dimensions.Length];
        for (int i = 0; i < dimensions.Length; i++) BinaryPrimitives.WriteInt32BigEndian(sizes.AsSpan(4 * i), dimensions[i]);
        return [0, 0, 8, (byte)dimensions.Length, .. sizes, .. values];
    }

    private static byte[] Compressed(byte[] file)
    {
        using MemoryStream packed = new();
        using (GZipStream stream = new(packed, CompressionLevel.Optimal)) stream.Write(file);
        return packed.ToArray();
    }

    private static DenseRows<byte> Images(byte[] file)
    {
        using MemoryStream stream = new(file);
        return IdxReader.ReadImages(stream);
    }

    private static int[] Labels(byte[] file)
    {
        using MemoryStream stream = new(file);
        return IdxReader.ReadLabels(stream);
    }

    private static void Refuses(byte[] file, string message)
    {
        Action read = () => Images(file);
        read.Should().Throw<InvalidDataException>().WithMessage(message);
    }
}
