// Checks the package in a folder: what a user of it must find inside, and the symbols beside it.
// Run: dotnet run .ci/package.cs -- FOLDER
using System.IO.Compression;

string[] expected = ["README.md", "CHANGELOG.md", "icon.png", "lib/net10.0/SoftmaxCE.dll", "lib/net10.0/SoftmaxCE.xml"];
string package = Directory.GetFiles(args[0], "SoftmaxCE.*.nupkg").Single();
List<string> missing = Missing(package, expected);
if (!File.Exists(Path.ChangeExtension(package, ".snupkg"))) missing.Add("the symbol package beside it");
else missing.AddRange(Missing(Path.ChangeExtension(package, ".snupkg"), ["lib/net10.0/SoftmaxCE.pdb"]));

Console.WriteLine(missing.Count == 0
    ? $"{Path.GetFileName(package)} has {string.Join(", ", expected)} and its symbols."
    : $"{Path.GetFileName(package)} lacks {string.Join(", ", missing)}.");
return missing.Count;

static List<string> Missing(string file, IEnumerable<string> names)
{
    using ZipArchive archive = ZipFile.OpenRead(file);
    return [.. names.Where(name => archive.GetEntry(name) is not { Length: > 0 })];
}
