using SharpFuzz;
using SoftmaxCE.Fuzz;

// SoftmaxCE.Fuzz seeds FOLDER       writes a folder of small valid files for each format
// SoftmaxCE.Fuzz FORMAT             is started by afl-fuzz, which sends one file after another
// SoftmaxCE.Fuzz FORMAT FILE...     reads the files once, to see what one does that afl-fuzz has found
if (args is ["seeds", string folder])
{
    foreach ((string format, IReadOnlyList<byte[]> files) in Seeds.All())
    {
        string place = Directory.CreateDirectory(Path.Combine(folder, format)).FullName;
        for (int i = 0; i < files.Count; i++) File.WriteAllBytes(Path.Combine(place, $"{i}"), files[i]);
    }

    return 0;
}

if (args is not [string name, .. string[] replayed] || !Targets.ByFormat.TryGetValue(name, out Action<byte[]>? read))
{
    Console.Error.WriteLine($"Give one of: seeds FOLDER; {string.Join(", ", Targets.ByFormat.Keys)} [FILE...]");
    return 2;
}

if (replayed.Length == 0) Fuzzer.OutOfProcess.Run(stream => read(Targets.ReadAll(stream)));
foreach (string file in replayed)
{
    Console.WriteLine(file);
    read(File.ReadAllBytes(file));
}

return 0;
