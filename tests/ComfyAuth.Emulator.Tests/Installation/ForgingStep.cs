using ComfyAuth.Installation;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>Notes a change that it does not make, as somebody could who can write the journal.</summary>
internal sealed class ForgingStep(InstallChangeKind kind, string target) : InstallStep
{
    private bool _isNoted;

    public override InstallStepName Name => InstallStepName.Login;

    public override Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop) => Task.FromResult(new StepPlan("Forged.")
    {
        Changes = _isNoted ? [] :
        [
            new(target, "Forge", (at, _) =>
            {
                _isNoted = true;
                at.Journal.Note(kind, target);
                return Task.CompletedTask;
            }),
        ],
    });
}
