namespace ComfyAuth.Validation;

/// <summary>How many of something are as they should be, held against a threshold.</summary>
public sealed record TechnicalMetric
{
    /// <summary>What is counted.</summary>
    public required string Name { get; init; }

    /// <summary>How many are as they should be, warnings among them.</summary>
    public required int Fine { get; init; }

    /// <summary>How many are not.</summary>
    public required int Faulty { get; init; }

    /// <summary>Of how many it is not known.</summary>
    public required int Unknown { get; init; }

    /// <summary>How many of those that are known are fine, in percent, rounded down; null where none is known.</summary>
    public int? Value => Fine + Faulty == 0 ? null : (int)(100L * Fine / (Fine + Faulty));

    /// <summary>What <see cref="Value"/> should at least be, in percent.</summary>
    public required int Threshold { get; init; }

    /// <summary>Whether the threshold is met, whatever the unknown ones turn out to be; null where it hangs on them.</summary>
    public bool? IsMet
    {
        get
        {
            var all = (long)Fine + Faulty + Unknown;
            if (all == 0)
                return null;
            if (100L * Fine >= Threshold * all)
                return true;
            return 100L * (Fine + Unknown) >= Threshold * all ? null : false;
        }
    }
}
