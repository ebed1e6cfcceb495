namespace SoftmaxCE;

/// <summary>What must be known before the figures of an inference are used, in sentences.</summary>
internal static class InferenceNotes
{
    // From here on a Newton step would move some coefficients by more than a twentieth of their standard error.
    private const double FarFromMaximum = 0.05;

    public static IReadOnlyList<string> For(InferenceFigures figures, TrainingSummary? training)
    {
        List<string> notes = [];
        double l1 = training?.Options?.L1 ?? 0;
        bool firth = training?.Options?.BiasReduction == BiasReduction.Firth;
        if (training?.StopReason == StopReason.Separable)
        {
            notes.Add(
                "the classes are separated, so the maximum-likelihood coefficients are infinite and nothing here can be relied on. "
                + "SeparationCheck.Find names the columns; BiasReduction.Firth gives finite estimates.");
        }

        if (figures.L2 > 0)
        {
            double variance = 1 / (figures.WeightSum * figures.L2);
            notes.Add(FormattableString.Invariant(
                $"with L2 = {figures.L2} errors are from the inverse of the penalised information (a posterior under a normal prior of variance {variance:G4}). ")
                + "Coefficients are pulled towards 0: p-values, intervals, tests and criteria are not those of maximum likelihood.");
        }

        if (l1 > 0)
        {
            notes.Add(FormattableString.Invariant(
                $"the model was trained with L1 = {l1}, which errors do not take into account: neither that it pulls coefficients towards 0 nor that it chose the columns."));
        }

        if (firth)
        {
            notes.Add("Firth's bias-reduced fit: errors are from the inverse information at its estimates, and the log-likelihood is without Firth's penalty.");
        }
        else if (l1 == 0 && figures.StepToMaximum > FarFromMaximum)
        {
            notes.Add(FormattableString.Invariant(
                $"the model is not at the maximum of the {(figures.L2 > 0 ? "penalised " : "")}likelihood of these rows: a Newton step would move ")
                + FormattableString.Invariant($"coefficients by up to {figures.StepToMaximum:G3} standard errors. ")
                + "Train with a smaller Tolerance, or pass the rows, weights and L2 of training.");
        }

        return notes;
    }
}
