namespace ComfyAuth.Emulator.Engine;

/// <summary>A program that is to be run in a container.</summary>
/// <param name="Container">The container.</param>
/// <param name="Command">The program and its arguments.</param>
/// <param name="User">As whom; empty: as the container's own user.</param>
public sealed record EmulatedProgram(EmulatedContainer Container, IReadOnlyList<string> Command, string User);

/// <summary>What a program that was run in a container gave.</summary>
/// <param name="ExitCode">Its exit code; 127 where there is no such program.</param>
/// <param name="Output">What it printed.</param>
/// <param name="Error">What it printed as errors.</param>
public sealed record EmulatedExit(int ExitCode = 0, string Output = "", string Error = "")
{
    /// <summary>There is no such program in the container.</summary>
    public static EmulatedExit NoSuchProgram { get; } = new(127, "OCI runtime exec failed: exec failed: executable file not found in $PATH: unknown\r\n");
}
