using ComfyAuth.PowerShell.Binding;

namespace ComfyAuth.TestCmdlets;

/// <summary>Completes as the parameter <c>Way</c>, if bound, says.</summary>
public sealed class ProbeCompleter : CandidateCompleter
{
    protected override IEnumerable<Candidate> Find(CompletionInput input, CancellationToken stop)
    {
        yield return new Candidate("plain");
        yield return new Candidate("with blank", "has a blank");
        yield return new Candidate("it's");
        yield return new Candidate("$dollar");
        yield return new Candidate("");

        switch (input.Bound["Way"] as string)
        {
            case "Fails":
                throw new IOException("It failed.");
            case "Hangs":
                Thread.Sleep(Timeout.Infinite);
                break;
            case "Location":
                yield return new Candidate(input.Location ?? "nowhere");
                break;
        }
    }
}
