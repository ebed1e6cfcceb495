namespace SoftmaxCE;

/// <summary>Probabilities of a few rows at a time, in lanes where there are few classes.</summary>
internal static unsafe class ProbabilityBlock
{
    /// <summary>Most rows.</summary>
    public const int Rows = 64;

    /// <summary>Doubles needed for that many rows, the rows themselves included.</summary>
    public static int Room(int classes) => checked(classes * (Rows + (classes <= LaneBlock.MaxClasses ? LaneBlock.Stride(Rows) : 0)));

    /// <summary>Logits become probabilities, in place.</summary>
    /// <param name="logits">[rows, classes], with the room behind.</param>
    /// <param name="rows">At most <see cref="Rows"/>.</param>
    /// <param name="classes">Number of classes.</param>
    public static void Run(double* logits, int rows, int classes)
    {
        if (classes > LaneBlock.MaxClasses)
        {
            ProbabilityRows kernel = new() { Logits = logits, RowCount = rows, ClassCount = classes };
            VectorWidth.Run<ProbabilityRows, double>(ref kernel);
            return;
        }

        int stride = LaneBlock.Stride(rows);
        double* block = logits + (Rows * classes);
        LaneBlock.Turn(logits, rows, classes, block, stride);
        ProbabilityLanes lanes = new() { Logits = block, Stride = stride, RowCount = rows, ClassCount = classes };
        VectorWidth.RunOnRegister<ProbabilityLanes, double>(ref lanes);
        LaneBlock.TurnBack(block, stride, classes, logits, rows);
    }
}
