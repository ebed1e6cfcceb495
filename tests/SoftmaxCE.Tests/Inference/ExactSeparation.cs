using System.Numerics;

namespace SoftmaxCE.Tests;

/// <summary>
/// How many pairs (row, other class) a linear model can separate at the same time, by the simplex method in exact fractions: maximise Σ s
/// subject to 0 ≤ s ≤ 1 and s ≤ a · D. Because D may be as long as it likes, every s is 0 or 1 at the optimum.
/// </summary>
internal static class ExactSeparation
{
    public static int SeparablePairs(int[] features, int[] labels, int featureCount, int classes, bool intercepts)
    {
        int width = featureCount + (intercepts ? 1 : 0), size = classes * width;
        List<int[]> margins = [];
        for (int i = 0; i < labels.Length; i++)
        {
            for (int c = 0; c < classes; c++)
            {
                if (c == labels[i]) continue;
                int[] a = new int[size];
                for (int j = 0; j < width; j++)
                {
                    int x = j < featureCount ? features[(i * featureCount) + j] : 1;
                    a[(labels[i] * width) + j] += x;
                    a[(c * width) + j] -= x;
                }

                margins.Add(a);
            }
        }

        // Columns: D⁺, D⁻, s, slacks, right-hand side; rows s − a · D ≤ 0, then s ≤ 1, then the objective.
        int pairs = margins.Count, rows = 2 * pairs, columns = (2 * size) + pairs + rows + 1;
        Fraction[][] table = [.. Enumerable.Range(0, rows + 1).Select(_ => Enumerable.Repeat(Fraction.Zero, columns).ToArray())];
        int[] basis = new int[rows];
        for (int p = 0; p < pairs; p++)
        {
            for (int j = 0; j < size; j++)
            {
                table[p][j] = new Fraction(-margins[p][j], 1);
                table[p][size + j] = new Fraction(margins[p][j], 1);
            }

            table[p][(2 * size) + p] = table[pairs + p][(2 * size) + p] = table[pairs + p][columns - 1] = Fraction.One;
            table[rows][(2 * size) + p] = new Fraction(-1, 1);
        }

        for (int r = 0; r < rows; r++)
        {
            basis[r] = (2 * size) + pairs + r;
            table[r][basis[r]] = Fraction.One;
        }

        while (Array.FindIndex(table[rows], 0, columns - 1, value => value.Sign < 0) is var entering and >= 0)
        {
            int leaving = -1;
            Fraction best = Fraction.Zero;
            for (int r = 0; r < rows; r++)
            {
                if (table[r][entering].Sign <= 0) continue;
                Fraction ratio = table[r][columns - 1] / table[r][entering];
                int order = leaving < 0 ? -1 : (ratio - best).Sign;
                if (order < 0 || (order == 0 && basis[r] < basis[leaving])) (leaving, best) = (r, ratio);      // Bland's rule: no cycles
            }

            Pivot(table, leaving, entering);
            basis[leaving] = entering;
        }

        Fraction optimum = table[rows][columns - 1];
        return optimum.Denominator.IsOne ? (int)optimum.Numerator : throw new InvalidOperationException("The optimum is not a whole number.");
    }

    private static void Pivot(Fraction[][] table, int row, int column)
    {
        Fraction pivot = table[row][column];
        for (int j = 0; j < table[row].Length; j++) table[row][j] /= pivot;
        foreach (Fraction[] other in table)
        {
            if (ReferenceEquals(other, table[row]) || other[column].Sign == 0) continue;
            Fraction factor = other[column];
            for (int j = 0; j < other.Length; j++)
            {
                if (table[row][j].Sign != 0) other[j] -= factor * table[row][j];
            }
        }
    }

    private readonly struct Fraction
    {
        public static readonly Fraction Zero = new(0, 1);
        public static readonly Fraction One = new(1, 1);

        public Fraction(BigInteger numerator, BigInteger denominator)
        {
            BigInteger divisor = BigInteger.GreatestCommonDivisor(numerator, denominator) * denominator.Sign;
            Numerator = numerator / divisor;
            Denominator = denominator / divisor;
        }

        public BigInteger Numerator { get; }

        public BigInteger Denominator { get; }

        public int Sign => Numerator.Sign;

        public static Fraction operator -(Fraction a, Fraction b) => new((a.Numerator * b.Denominator) - (b.Numerator * a.Denominator), a.Denominator * b.Denominator);

        public static Fraction operator *(Fraction a, Fraction b) => new(a.Numerator * b.Numerator, a.Denominator * b.Denominator);

        public static Fraction operator /(Fraction a, Fraction b) => new(a.Numerator * b.Denominator, a.Denominator * b.Numerator);
    }
}
