using System.Diagnostics.CodeAnalysis;

namespace SoftmaxCE;

/// <summary>Turns class names into labels 0, 1, 2, … and back. Names are sorted ordinally, so the labels depend on the set of names alone, not on their order.</summary>
public sealed class LabelEncoder
{
    private readonly string[] _names;
    private readonly Dictionary<string, int> _labels;

    /// <summary>Learns the distinct names; repetitions are fine.</summary>
    /// <exception cref="ArgumentException">There is no name, or one is null.</exception>
    public LabelEncoder(IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        HashSet<string> distinct = new(StringComparer.Ordinal);
        int index = 0;
        foreach (string name in names)
        {
            if (name is null) throw new ArgumentException($"Name {index} is null.", nameof(names));
            distinct.Add(name);
            index++;
        }

        if (distinct.Count == 0) throw new ArgumentException("Needs at least one name but is empty.", nameof(names));
        _names = [.. distinct];
        Array.Sort(_names, StringComparer.Ordinal);
        _labels = new Dictionary<string, int>(_names.Length, StringComparer.Ordinal);
        for (int label = 0; label < _names.Length; label++) _labels.Add(_names[label], label);
    }

    /// <summary>Distinct names.</summary>
    public int ClassCount => _names.Length;

    /// <summary>Name of each label, sorted ordinally.</summary>
    public IReadOnlyList<string> ClassNames => _names;

    /// <summary>The label of a name.</summary>
    /// <exception cref="ArgumentException">The name was not among those learned.</exception>
    public int Encode(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!_labels.TryGetValue(name, out int label)) ThrowUnknown(name, -1, nameof(name));
        return label;
    }

    /// <summary>The labels of many names.</summary>
    /// <exception cref="ArgumentException">A name was not among those learned; the message gives its row.</exception>
    public int[] Encode(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        int[] labels = new int[names.Count];
        for (int row = 0; row < labels.Length; row++)
        {
            if (names[row] is null || !_labels.TryGetValue(names[row], out labels[row])) ThrowUnknown(names[row], row, nameof(names));
        }

        return labels;
    }

    /// <summary>The name of a label.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The label is not in 0 to <see cref="ClassCount"/> − 1.</exception>
    public string Decode(int label)
    {
        if ((uint)label >= (uint)_names.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(label), label, $"There are {_names.Length} classes: labels are 0 to {_names.Length - 1}.");
        }

        return _names[label];
    }

    /// <summary>The labels of names, where the classes are known and numbered in their order.</summary>
    /// <exception cref="ArgumentException">A name is not one of them; the message gives its row.</exception>
    internal static int[] EncodeAs(IReadOnlyList<string> classNames, IReadOnlyList<string> names, string parameter)
    {
        ArgumentNullException.ThrowIfNull(names, parameter);
        Dictionary<string, int> labelOf = new(StringComparer.Ordinal);
        for (int label = 0; label < classNames.Count; label++) labelOf.TryAdd(classNames[label], label);
        int[] labels = new int[names.Count];
        for (int row = 0; row < labels.Length; row++)
        {
            if (names[row] is null || !labelOf.TryGetValue(names[row], out labels[row])) ThrowUnknownName(row, names[row], classNames, parameter);
        }

        return labels;
    }

    [DoesNotReturn]
    private static void ThrowUnknownName(int row, string? name, IReadOnlyList<string> classNames, string parameter)
    {
        string known = string.Join(", ", classNames.Take(10).Select(known => $"\"{known}\"")) + (classNames.Count > 10 ? ", …" : "");
        throw new ArgumentException($"Row {row} is named \"{name}\", which is not one of the {classNames.Count} classes: {known}.", parameter);
    }

    [DoesNotReturn]
    private void ThrowUnknown(string? name, int row, string parameter)
    {
        string where = row < 0 ? "" : $"Row {row}: ";
        string known = string.Join(", ", _names.Take(10)) + (_names.Length > 10 ? ", …" : "");
        throw new ArgumentException($"{where}\"{name}\" is not one of the {_names.Length} class names ({known}).", parameter);
    }
}
