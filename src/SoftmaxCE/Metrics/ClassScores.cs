namespace SoftmaxCE;

/// <summary>Precision, recall and their harmonic mean, of one class or averaged over classes.</summary>
/// <param name="Precision">Of the rows predicted to be in the class, the share that are; 0 when none is predicted to be.</param>
/// <param name="Recall">Of the rows in the class, the share predicted to be; 0 when there is none.</param>
/// <param name="F1">2·precision·recall / (precision + recall); 0 when both are 0. Averages average the F1 of the classes.</param>
public readonly record struct PrecisionRecall(double Precision, double Recall, double F1);

/// <summary>How one class fares.</summary>
/// <param name="Label">The class, 0-based.</param>
/// <param name="Name">The name of the class, or its number as text.</param>
/// <param name="Precision">Of the rows predicted to be in the class, the share that are; 0 when none is predicted to be.</param>
/// <param name="Recall">Of the rows in the class, the share predicted to be; 0 when there is none.</param>
/// <param name="F1">2·precision·recall / (precision + recall); 0 when both are 0.</param>
/// <param name="Support">Weight of the rows in the class: their number when no sample weights are given.</param>
/// <param name="PredictedWeight">Weight of the rows predicted to be in the class.</param>
public readonly record struct ClassScores(int Label, string Name, double Precision, double Recall, double F1, double Support, double PredictedWeight);

/// <summary>One cell of a confusion matrix.</summary>
/// <param name="Label">The true class, 0-based.</param>
/// <param name="Predicted">The predicted class, 0-based.</param>
/// <param name="Weight">Weight of the rows with this label and this prediction: their number when no sample weights are given.</param>
public readonly record struct ConfusedPair(int Label, int Predicted, double Weight);
