using System.Runtime.CompilerServices;

namespace SoftmaxCE;

/// <summary>For a block of rows with logits z + t d: weighted sums of loss, dloss/dt and d²loss/dt², from cached z and d alone.</summary>
internal unsafe ref struct LineRows : IVectorKernel<double>
{
    /// <summary>z, [rows, classes].</summary>
    public required double* Logits;

    /// <summary>d, [rows, classes]; null for 0.</summary>
    public required double* Direction;

    /// <summary>Added to the logits of every row, one per class; null for 0.</summary>
    public required double* Shifts;

    public required double Position;

    /// <summary>One per row; −1 for a row whose target is a distribution.</summary>
    public required int* Labels;

    /// <summary>[rows, classes]; null when all rows have labels.</summary>
    public double* Targets;

    /// <summary>One per row; null for all 1.</summary>
    public required double* Weights;

    public required int RowCount;
    public required int ClassCount;

    /// <summary>Room for one row: e^(z − max) of the last row.</summary>
    public required double* Scratch;

    public double LossSum;
    public double SlopeSum;
    public double CurvatureSum;

    [MethodImpl(LoopMethod.Compiled)]
    public void Run<TSimd, TVector>()
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double loss = 0, slope = 0, curvature = 0;
        for (int i = 0; i < RowCount; i++)
        {
            double weight = Weights == null ? 1 : Weights[i];
            double* d = Direction == null ? null : Direction + ((long)i * ClassCount);
            double* z = Logits + ((long)i * ClassCount);
            double first, second;
            if (Labels[i] >= 0)
            {
                loss += weight * OneRow<TSimd, TVector>(z, d, Labels[i], out first, out second);
            }
            else
            {
                MoveTo<TSimd, TVector>(z, d, Scratch);
                loss += weight * TargetRow.Line<TSimd, TVector>(Scratch, d, Targets + ((long)i * ClassCount), ClassCount, out first, out second);
            }

            slope += weight * first;
            curvature += weight * second;
        }

        LossSum = loss;
        SlopeSum = slope;
        CurvatureSum = curvature;
    }

    /// <summary>Writes z + t d + shifts of the block.</summary>
    public readonly void CopyMovedLogits(double* destination)
    {
        MoveRows kernel = new() { Line = this, Destination = destination };
        VectorWidth.Run<MoveRows, double>(ref kernel);
    }

    [MethodImpl(LoopMethod.Compiled)]
    private readonly double OneRow<TSimd, TVector>(double* z, double* d, int label, out double slope, out double curvature)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        double* row = Scratch;
        MoveTo<TSimd, TVector>(z, d, row);
        double max = LossRows.Max<TSimd, TVector>(row, ClassCount), gapToMax = max - row[label];

        // Slope and curvature are mean and variance of d − d[label] under the probabilities.
        TVector shift = TSimd.Create(max), origin = TSimd.Create(d == null ? 0 : d[label]);
        TVector sum = TSimd.Create(0), first = sum, second = sum;
        double own = 0;
        for (int c = 0; c < ClassCount; c += TSimd.Lanes)
        {
            TVector e = ExpPolynomial.OfNonPositive<TSimd, TVector, double>(TSimd.Subtract(LossRows.Take<TSimd, TVector>(row, c, ClassCount, double.NegativeInfinity), shift));
            LossRows.Put<TSimd, TVector>(row, c, ClassCount, e);
            if ((uint)(label - c) < (uint)TSimd.Lanes)
            {
                own = row[label];
                row[label] = 0;
                e = LossRows.Take<TSimd, TVector>(row, c, ClassCount, 0);
            }

            sum = TSimd.Add(sum, e);
            if (d == null) continue;
            TVector relative = TSimd.Subtract(LossRows.Take<TSimd, TVector>(d, c, ClassCount, 0), origin);
            TVector weighted = TSimd.Multiply(e, relative);
            first = TSimd.Add(first, weighted);
            second = TSimd.MultiplyAdd(weighted, relative, second);
        }

        double others = TSimd.SumOfLanes(sum), total = others + own;
        slope = TSimd.SumOfLanes(first) / total;
        curvature = (TSimd.SumOfLanes(second) / total) - (slope * slope);
        return LossRows.Loss(others, own, gapToMax);
    }

    /// <summary>row = z + position · d + shifts.</summary>
    [MethodImpl(LoopMethod.Compiled)]
    private readonly void MoveTo<TSimd, TVector>(double* z, double* d, double* row)
        where TSimd : struct, ISimd<TVector, double>
        where TVector : struct
    {
        TVector t = TSimd.Create(Position);
        for (int c = 0; c < ClassCount; c += TSimd.Lanes)
        {
            TVector moved = LossRows.Take<TSimd, TVector>(z, c, ClassCount, 0);
            if (d != null) moved = TSimd.MultiplyAdd(t, LossRows.Take<TSimd, TVector>(d, c, ClassCount, 0), moved);
            if (Shifts != null) moved = TSimd.Add(moved, LossRows.Take<TSimd, TVector>(Shifts, c, ClassCount, 0));
            LossRows.Put<TSimd, TVector>(row, c, ClassCount, moved);
        }
    }

    private ref struct MoveRows : IVectorKernel<double>
    {
        public required LineRows Line;
        public required double* Destination;

        [MethodImpl(LoopMethod.Compiled)]
        public readonly void Run<TSimd, TVector>()
            where TSimd : struct, ISimd<TVector, double>
            where TVector : struct
        {
            for (int i = 0; i < Line.RowCount; i++)
            {
                long offset = (long)i * Line.ClassCount;
                Line.MoveTo<TSimd, TVector>(Line.Logits + offset, Line.Direction == null ? null : Line.Direction + offset, Destination + offset);
            }
        }
    }
}
