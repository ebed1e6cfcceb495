namespace SoftmaxCE;

/// <content>The Hessian of a few parameters, for solvers that work on the coefficients that are not 0.</content>
internal sealed unsafe partial class SoftmaxRegressionObjective
{
    // Room for the wanted columns of all rows: 64 MB; beyond it a sample of rows stands for all.
    private const int MaxGathered = 8 << 20;

    // Parameters whose rows of the Hessian are made at a time, by one thread.
    private const int Strip = 40;

    public void PartialHessian(ReadOnlySpan<int> parameters, ReadOnlySpan<double> origin, double[] hessian)
    {
        int[] classOf = new int[parameters.Length], placeOf = new int[parameters.Length];
        int[] columns = ColumnsOf(parameters, classOf, placeOf);
        int rowCount = (int)Math.Min(_rows.RowCount, MaxGathered / Math.Max(columns.Length + 1, 1));
        double[] gathered = Gather(columns, origin.ToArray(), rowCount, out int[] rows, out double weightSum);
        double[] sums = PinnedMemory.Allocate<double>(checked(parameters.Length * parameters.Length));
        Array.Clear(sums);

        int count = parameters.Length, strips = (count + Strip - 1) / Strip, width = columns.Length + 1;
        int threads = (double)rowCount * count * count < 200_000 ? 1 : _precise.MaxDegreeOfParallelism;
        NonzeroRows? nonzero = NonzeroRows.WorthIt(gathered) ? new NonzeroRows(gathered, width, placeOf) : null;
        Parallel.For(0, strips, new ParallelOptions { MaxDegreeOfParallelism = threads }, strip =>
        {
            int first = strip * Strip, length = Math.Min(Strip, count - first);
            double* target = PinnedMemory.Pointer(sums) + ((long)first * count);
            if (nonzero is null) AddStrip(first, length, rows, gathered, width, classOf, placeOf, target);
            else AddSparseStrip(first, length, rows, nonzero, classOf, target);
        });
        for (int i = 0; i < sums.Length; i++) hessian[i] = sums[i] / weightSum;
    }

    /// <summary>Distinct columns of the parameters; per parameter its class and its column's place, the last place being the constant 1 of the intercepts.</summary>
    private int[] ColumnsOf(ReadOnlySpan<int> parameters, int[] classOf, int[] placeOf)
    {
        int[] places = new int[FeatureCount];
        List<int> columns = [];
        for (int a = 0; a < parameters.Length; a++)
        {
            bool intercept = parameters[a] >= CoefficientCount;
            classOf[a] = intercept ? parameters[a] - CoefficientCount : parameters[a] / FeatureCount;
            if (intercept) continue;
            int column = parameters[a] % FeatureCount;
            if (places[column] == 0)
            {
                columns.Add(column);
                places[column] = columns.Count;
            }

            placeOf[a] = places[column] - 1;
        }

        for (int a = 0; a < parameters.Length; a++)
        {
            if (parameters[a] >= CoefficientCount) placeOf[a] = columns.Count;
        }

        return [.. columns];
    }

    private double[] Gather(int[] columns, double[] origin, int rowCount, out int[] rows, out double weightSum)
    {
        int width = columns.Length + 1;
        int[] chosen = new int[rowCount], places = new int[FeatureCount];
        Array.Fill(places, -1);
        for (int k = 0; k < columns.Length; k++) places[columns[k]] = k;
        double[] gathered = new double[checked(rowCount * width)];
        Parallel.For(0, (rowCount + 255) / 256, new ParallelOptions { MaxDegreeOfParallelism = _precise.MaxDegreeOfParallelism }, piece =>
        {
            for (int i = piece * 256; i < Math.Min(rowCount, (piece + 1) * 256); i++)
            {
                chosen[i] = (int)((long)_rows.RowCount * i / rowCount);
                Span<double> target = gathered.AsSpan(i * width, width);
                _rows.CopyColumns(chosen[i], columns, places, target);
                for (int k = 0; k < columns.Length && origin.Length > 0; k++) target[k] -= origin[columns[k]];
                target[^1] = 1;
            }
        });
        rows = chosen;
        weightSum = 0;
        foreach (int row in rows) weightSum += _examples.WeightArray is null ? 1 : _examples.WeightArray[row];
        return gathered;
    }

    /// <summary>Some rows of the Hessian: Σ s p_c (δ − p_k) x_a x_b, c and k the classes of parameters a and b.</summary>
    private void AddStrip(int first, int length, int[] rows, double[] gathered, int width, int[] classOf, int[] placeOf, double* sums)
    {
        const int Block = 32;
        int count = classOf.Length;
        double[] left = PinnedMemory.Allocate<double>(Block * length), right = PinnedMemory.Allocate<double>(checked(Block * count)), own = new double[ClassCount];
        for (int start = 0; start < rows.Length; start += Block)
        {
            int blockLength = Math.Min(Block, rows.Length - start);
            for (int i = 0; i < blockLength; i++)
            {
                int row = rows[start + i];
                CopyProbabilities(row, own);
                ReadOnlySpan<double> x = gathered.AsSpan((start + i) * width, width), p = own;
                double weight = _examples.WeightArray is null ? 1 : _examples.WeightArray[row];
                for (int b = 0; b < count; b++) right[(i * count) + b] = p[classOf[b]] * x[placeOf[b]];
                for (int a = 0; a < length; a++) left[(i * length) + a] = -weight * right[(i * count) + first + a];
            }

            OuterProducts<double>.Add(PinnedMemory.Pointer(left), length, PinnedMemory.Pointer(right), blockLength, count, sums);
        }

        // Where the classes are the same it is Σ s p_c (1 − p_c) x_a x_b: as a difference of two sums it would lose its digits where p_c is near 1.
        for (int a = 0; a < length; a++)
        {
            for (int b = 0; b < count; b++)
            {
                if (classOf[b] == classOf[first + a]) sums[((long)a * count) + b] = 0;
            }
        }

        for (int i = 0; i < rows.Length; i++)
        {
            CopyProbabilities(rows[i], own);
            ReadOnlySpan<double> x = gathered.AsSpan(i * width, width), p = own;
            double weight = _examples.WeightArray is null ? 1 : _examples.WeightArray[rows[i]];
            for (int a = 0; a < length; a++)
            {
                int c = classOf[first + a];
                double factor = weight * p[c] * Complement(p, c) * x[placeOf[first + a]];
                if (factor == 0) continue;
                double* target = sums + ((long)a * count);
                for (int b = 0; b < count; b++)
                {
                    if (classOf[b] == c) target[b] += factor * x[placeOf[b]];
                }
            }
        }
    }

    /// <summary>The same from the values that are not 0.</summary>
    private void AddSparseStrip(int first, int length, int[] rows, NonzeroRows nonzero, int[] classOf, double* sums)
    {
        int count = classOf.Length;
        double[] p = new double[ClassCount];
        for (int i = 0; i < rows.Length; i++)
        {
            CopyProbabilities(rows[i], p);
            ReadOnlySpan<int> parameters = nonzero.Parameters(i);
            ReadOnlySpan<double> x = nonzero.Values(i);
            double weight = _examples.WeightArray is null ? 1 : _examples.WeightArray[rows[i]];
            for (int a = 0; a < parameters.Length; a++)
            {
                int row = parameters[a] - first;
                if ((uint)row >= (uint)length) continue;
                int c = classOf[parameters[a]];
                double factor = weight * p[c] * x[a];
                double* target = sums + ((long)row * count);
                double complement = Complement(p, c);
                for (int b = 0; b < parameters.Length; b++)
                {
                    int k = classOf[parameters[b]];
                    target[parameters[b]] += factor * (c == k ? complement : -p[k]) * x[b];
                }
            }
        }
    }

    /// <summary>1 − p_c, with all digits.</summary>
    private static double Complement(ReadOnlySpan<double> p, int c)
    {
        if (p[c] < 0.5) return 1 - p[c];
        double sum = 0;
        for (int k = 0; k < p.Length; k++) sum += k == c ? 0 : p[k];
        return sum;
    }
}
