namespace SoftmaxCE.Tests;

public class LogitSamplerTests
{
    private const int Draws = 40_000;

    public static IEnumerable<object[]> Options => new object[][]
    {
        [10, new LogitSampler()],
        [10, new LogitSampler { Temperature = 0.5 }],
        [10, new LogitSampler { Temperature = 3 }],
        [1000, new LogitSampler { Temperature = 0.7 }],
        [1000, new LogitSampler { TopK = 12 }],
        [300, new LogitSampler { TopK = 200, Temperature = 2 }],
        [1000, new LogitSampler { TopP = 0.6 }],
        [40, new LogitSampler { TopP = 0.95, Temperature = 2 }],
        [1000, new LogitSampler { MinP = 0.2 }],
        [1000, new LogitSampler { TopK = 20, TopP = 0.8 }],
        [1000, new LogitSampler { TopP = 0.9, MinP = 0.05, Temperature = 1.5 }],
        [500, new LogitSampler { TopK = 30, TopP = 0.9, MinP = 0.1, Temperature = 0.8 }],
        [5, new LogitSampler { TopK = 1 }],
        [5, new LogitSampler { TopP = 1e-9 }],
        [2500, new LogitSampler { TopP = 0.5, Temperature = 0.5 }],
        [2500, new LogitSampler { TopP = 0.7, Temperature = 5 }],
    };

    /// <summary>Pearson's test of many draws against the distribution, which is made by sorting everything.</summary>
    [Theory, MemberData(nameof(Options))]
    public void Draws_follow_the_distribution(int classes, LogitSampler sampler)
    {
        float[] logits = LossValues.Normal(classes, 2, seed: classes).ToFloats();
        int[] excluded = [classes / 2, 1, 1];
        foreach (int[] without in new[] { [], excluded })
        {
            double[] expected = Distribution(logits, sampler, without);
            int[] counts = new int[classes];
            for (int draw = 0; draw < Draws; draw++) counts[sampler.Sample<float>(logits, (ulong)draw, without)]++;

            double statistic = 0, restExpected = 0, restCount = 0;
            int cells = 0;
            for (int c = 0; c < classes; c++)
            {
                if (expected[c] == 0) counts[c].Should().Be(0, "class {0} is not allowed", c);
                if (expected[c] * Draws >= 10)
                {
                    statistic += Math.Pow(counts[c] - (expected[c] * Draws), 2) / (expected[c] * Draws);
                    cells++;
                }
                else
                {
                    (restExpected, restCount) = (restExpected + (expected[c] * Draws), restCount + counts[c]);
                }
            }

            if (restExpected >= 10) statistic += Math.Pow(restCount - restExpected, 2) / restExpected;

            // Mean df, deviation √(2 df); five deviations are passed by chance about once in 10^5 runs, and the seeds are fixed.
            double freedom = Math.Max(1, cells - (restExpected >= 10 ? 0 : 1));
            statistic.Should().BeLessThan(freedom + (5 * Math.Sqrt(2 * freedom)), "{0} cells", cells);
        }
    }

    /// <summary>Rows long enough for the estimates: peaked ones, of which few classes are listed, and flat ones, where the threshold is closed in.</summary>
    [Theory]
    [InlineData(2000, 0.1f, 0.9)]
    [InlineData(5000, 1f, 0.5)]
    [InlineData(20_000, 1f, 0.99)]
    [InlineData(20_000, 2f, 0.9)]
    [InlineData(20_000, 4f, 0.9)]
    [InlineData(20_000, 4f, 0.999999)]
    [InlineData(70_000, 10f, 0.3)]
    [InlineData(70_000, 4f, 1e-9)]
    [InlineData(3000, 0f, 0.75)]
    [InlineData(40_000, 0f, 0.3)]
    [InlineData(131_072, 1e-4f, 0.9)]
    [InlineData(131_072, 0.5f, 0.99)]
    [InlineData(33_333, 1f, 0.01)]
    [InlineData(33_333, 1f, 0.9999)]
    public void Top_p_keeps_what_a_sorted_row_does(int classes, float deviation, double topP)
    {
        float[] logits = LossValues.Normal(classes, deviation, seed: classes).ToFloats();
        if (deviation > 1) logits.AsSpan(classes / 3, 50).Fill(float.NegativeInfinity);
        foreach (float temperature in new[] { 1f, 2.5f })
        {
            int[] order = [.. Enumerable.Range(0, classes).OrderByDescending(c => logits[c]).ThenBy(c => c)];
            double[] masses = Array.ConvertAll(order, c => Math.Exp((logits[c] - logits[order[0]]) / temperature));
            double wanted = topP * masses.Sum();
            int[] selected = Selected(logits, temperature, topP);

            // Exponentials in float have 24 bits: the last place may differ, but nothing else in the order.
            const double Rounding = 2e-7;
            selected.Length.Should().BeInRange(CountFor(wanted * (1 - Rounding)), CountFor(wanted * (1 + Rounding)));
            selected.Order().Should().Equal(order.Take(selected.Length).Order());

            int CountFor(double mass)
            {
                int count = 0;
                for (double reached = 0; reached < mass && count < classes; count++) reached += masses[count];
                return count;
            }
        }
    }

    private static unsafe int[] Selected(float[] logits, float temperature, double topP)
    {
        const int Block = 128;
        double[] maxima = [.. logits.Chunk(Block).Select(block => (double)block.Max())];
        float[] exponentials = new float[logits.Length];
        int[] classes = new int[logits.Length];
        fixed (float* z = logits, e = exponentials)
        fixed (int* found = classes)
        {
            NucleusSelection<float> nucleus = new(z, logits.Length, logits.Max(), temperature, e, found);
            double total = nucleus.Exponentiate();
            int listed = nucleus.Select(topP, total, Block, maxima, out NucleusEdge edge);
            return listed > 0 ? classes[..listed] : [.. Enumerable.Range(0, logits.Length).Where(c => nucleus.IsWithin(edge, c))];
        }
    }

    /// <summary>The noise that the race does not compute could not have won.</summary>
    [Fact]
    public void The_race_has_the_winner_of_all_noise()
    {
        double[] tempered = LossValues.Normal(300, 3, seed: 6);
        for (ulong seed = 0; seed < 300; seed++)
        {
            GumbelRace race = new(seed);
            for (int i = 0; i < tempered.Length; i++) race.Enter(i, tempered[i], (ulong)i);
            race.Winner.Should().Be(Enumerable.Range(0, tempered.Length).MaxBy(i => tempered[i] + GumbelNoise.At(seed, (ulong)i)));
        }
    }

    [Fact]
    public void Noise_is_gumbel_distributed()
    {
        // The distribution function e^(−e^(−g)) of the noise is uniform: twenty equal cells.
        int[] counts = new int[20];
        for (int i = 0; i < 100_000; i++) counts[(int)(20 * Math.Exp(-Math.Exp(-GumbelNoise.At(5, (ulong)i))))]++;
        double statistic = counts.Sum(n => Math.Pow(n - 5000, 2) / 5000);
        statistic.Should().BeLessThan(19 + (5 * Math.Sqrt(38)));
    }

    [Fact]
    public void A_seed_names_a_draw_on_any_machine()
    {
        float[] logits = LossValues.Uniform(1000, seed: 1);
        int[] plain = new int[8], restricted = new int[8];
        for (int seed = 0; seed < 8; seed++)
        {
            plain[seed] = new LogitSampler { Temperature = 4 }.Sample<float>(logits, (ulong)seed);
            restricted[seed] = new LogitSampler { Temperature = 4, TopK = 100, TopP = 0.9 }.Sample<float>(logits, (ulong)seed);
        }

        plain.Should().Equal(PlainDraws);
        restricted.Should().Equal(RestrictedDraws);
    }

    private static readonly int[] PlainDraws = [602, 103, 28, 769, 304, 116, 356, 165];
    private static readonly int[] RestrictedDraws = [602, 205, 376, 376, 78, 161, 680, 493];

    [Fact]
    public void A_class_keeps_its_noise_when_others_are_excluded()
    {
        // The winner wins again as long as it is not excluded itself.
        float[] logits = LossValues.Uniform(200, seed: 2);
        LogitSampler sampler = new() { MinP = 1e-300, Temperature = 5 };
        for (ulong seed = 0; seed < 50; seed++)
        {
            int winner = sampler.Sample<float>(logits, seed), other = (winner + 1) % 200;
            sampler.Sample<float>(logits, seed, [other, (winner + 100) % 200]).Should().Be(winner);
            sampler.Sample<float>(logits, seed, [winner]).Should().NotBe(winner);
        }
    }

    [Fact]
    public void Temperature_0_takes_the_largest_and_the_first_of_equal_ones()
    {
        LogitSampler sampler = new() { Temperature = 0 };
        sampler.Sample<float>([1, 3, 3, 2], 9).Should().Be(1);
        sampler.Sample<float>([1, 3, 3, 2], 9, [1]).Should().Be(2);
    }

    [Fact]
    public void Ties_go_to_the_lower_class()
    {
        double[] logits = new double[400];
        HashSet<int> drawn = [];
        for (ulong seed = 0; seed < 200; seed++) drawn.Add(new LogitSampler { TopK = 3 }.Sample<double>(logits, seed));
        drawn.Should().BeEquivalentTo([0, 1, 2]);
        drawn.Clear();
        for (ulong seed = 0; seed < 200; seed++) drawn.Add(new LogitSampler { TopP = 0.0099 }.Sample<double>(logits, seed));
        drawn.Should().BeEquivalentTo([0, 1, 2, 3]);
    }

    [Fact]
    public void Every_type_can_be_drawn_from()
    {
        double[] logits = LossValues.Normal(50, 2, seed: 4);
        LogitSampler sampler = new() { TopK = 5 };
        Half[] halves = Array.ConvertAll(logits, v => (Half)v);
        float[] floats = Array.ConvertAll(halves, v => (float)v);
        double[] doubles = Array.ConvertAll(halves, v => (double)v);
        for (ulong seed = 0; seed < 20; seed++)
        {
            int drawn = sampler.Sample<Half>(halves, seed);
            sampler.Sample<float>(floats, seed).Should().Be(drawn);
            sampler.Sample<double>(doubles, seed).Should().Be(drawn);
        }
    }

    [Fact]
    public void Steady_drawing_does_not_allocate()
    {
        float[] logits = LossValues.Uniform(5000, seed: 3);
        LogitSampler[] samplers = [new(), new() { TopK = 40 }, new() { TopP = 0.9 }];
        ulong seed = 0;
        void DrawMany()
        {
            for (int i = 0; i < 50; i++)
            {
                foreach (LogitSampler sampler in samplers) sampler.Sample<float>(logits, seed++, []);
            }
        }

        DrawMany();
        long before = GC.GetAllocatedBytesForCurrentThread();
        DrawMany();
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(1000);
    }

    [Fact]
    public void Rows_nothing_can_be_drawn_from_are_refused()
    {
        LogitSampler[] samplers = [new(), new() { TopK = 1 }, new() { TopP = 0.5 }, new() { MinP = 0.5 }, new() { Temperature = 0 }];
        foreach (LogitSampler sampler in samplers)
        {
            Refuses("logits", "*empty*", () => sampler.Sample<float>([], 1));
            Refuses("logits", "No class is left*", () => sampler.Sample<float>([float.NegativeInfinity, 2], 1, [1]));
            Refuses("logits", "Logit 1 is NaN*", () => sampler.Sample<float>([1, float.NaN, 2], 1));
            Refuses("logits", "Logit 2 is*", () => sampler.Sample<float>([1, 0, float.PositiveInfinity], 1));
            Refuses("excluded", "Entry 1 is class 3, but there are 3 classes*", () => sampler.Sample<float>([1, 2, 3], 1, [0, 3]));
            sampler.Sample<float>([float.NegativeInfinity, -50], 1).Should().Be(1);
        }
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        Refuses("Temperature", "*", () => new LogitSampler { Temperature = -1 }.Sample<float>([1], 1));
        Refuses("TopK", "*", () => new LogitSampler { TopK = -1 }.Sample<float>([1], 1));
        Refuses("TopP", "*", () => new LogitSampler { TopP = 0 }.Sample<float>([1], 1));
        Refuses("TopP", "*", () => new LogitSampler { TopP = 1.5 }.Sample<float>([1], 1));
        Refuses("MinP", "*", () => new LogitSampler { MinP = 2 }.Sample<float>([1], 1));
    }

    private static void Refuses(string parameter, string message, Action act) =>
        act.Should().Throw<ArgumentException>().WithParameterName(parameter).WithMessage(message);

    private static double[] Distribution(float[] logits, LogitSampler sampler, int[] excluded)
    {
        (int Class, double Mass)[] ranked = [.. Enumerable.Range(0, logits.Length).Where(c => !excluded.Contains(c))
            .OrderByDescending(c => logits[c]).ThenBy(c => c)
            .Select(c => (c, Math.Exp((logits[c] - logits.Max()) / sampler.Temperature)))];
        if (sampler.TopK > 0) ranked = [.. ranked.Take(sampler.TopK)];
        double total = ranked.Sum(r => r.Mass), reached = 0;
        int kept = 0;
        while (kept < ranked.Length && reached < sampler.TopP * total * (1 - 1e-12)) reached += ranked[kept++].Mass;
        ranked = [.. ranked.Take(kept).Where(r => r.Mass >= sampler.MinP * ranked[0].Mass)];
        double sum = ranked.Sum(r => r.Mass);
        double[] expected = new double[logits.Length];
        foreach ((int label, double mass) in ranked) expected[label] = mass / sum;
        return expected;
    }
}
