namespace ComfyAuth.Cli;

/// <summary>What the process says to whoever started it.</summary>
internal static class ExitCode
{
    /// <summary>Everything is fine.</summary>
    public const int Fine = 0;

    /// <summary>The answer is "not fine": drift, or an invalid file.</summary>
    public const int NotFine = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Something could not be determined or done.</summary>
    public const int NotDone = 3;

    /// <summary>Cancelled, as a shell reports SIGINT.</summary>
    public const int Cancelled = 130;

    /// <summary>What is wrong outweighs what is not known.</summary>
    public static int Of(bool anyFault, bool anyUnknown) => anyFault ? NotFine : anyUnknown ? NotDone : Fine;
}
