using System.IO.Compression;
using System.Text;

namespace SoftmaxCE.Fuzz;

/// <summary>Small valid files to start from.</summary>
internal static class Seeds
{
    public static IReadOnlyDictionary<string, IReadOnlyList<byte[]>> All()
    {
        SoftmaxRegressionModel plain = new([1, -2.5, 0.125, 3], [0.5, -0.5]);
        SoftmaxRegressionModel trained = new SoftmaxRegressionTrainer(new SoftmaxRegressionOptions { MaxDegreeOfParallelism = 1, ClassWeights = new[] { 1, 2.0 } })
            .Fit(new DenseRows<float>(new float[] { 0, 1, 2, 3 }, 1), ["no", "ja", "no", "ja"]).WithFeatureNames(["x \"ß\""]);
        return new Dictionary<string, IReadOnlyList<byte[]>>
        {
            ["safetensors"] = [Bytes(plain.Save), Bytes(trained.Save), StateOfALayer()],
            ["json"] = [Bytes(plain.SaveJson), Bytes(trained.SaveJson)],
            ["onnx"] = [Export(plain, OnnxForm.StandardOperators), Export(plain, OnnxForm.LinearClassifier), Export(trained, OnnxForm.StandardOperators), Export(trained, OnnxForm.LinearClassifier)],
            ["csv"] = [Text("a,label,b\n1,x,2.5\n-3e2,\"y,\"\"z\"\n, 0,w,1 \r\n"), Text("label\r\n")],
            ["svmlight"] = [Text("+1 1:0.5 3:-2 # comment\n-1 2:1e3\n\n0\n")],
            ["idx"] = [[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4], [0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9], Gzip([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9])],
        };
    }

    // What a linear layer of another library saves.
    private static byte[] StateOfALayer()
    {
        byte[] header = Text("""{"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"weight":{"dtype":"BF16","shape":[2,1],"data_offsets":[8,12]}}""");
        return [.. BitConverter.GetBytes((ulong)header.Length), .. header, 0, 0, 128, 63, 0, 0, 0, 64, 128, 63, 0, 64];
    }

    private static byte[] Export(SoftmaxRegressionModel model, OnnxForm form) => Bytes(stream => OnnxExporter.Export(model, stream, form));

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Gzip(byte[] bytes) => Bytes(stream =>
    {
        using GZipStream packed = new(stream, CompressionLevel.Optimal, leaveOpen: true);
        packed.Write(bytes);
    });

    private static byte[] Bytes(Action<Stream> write)
    {
        using MemoryStream stream = new();
        write(stream);
        return stream.ToArray();
    }
}
