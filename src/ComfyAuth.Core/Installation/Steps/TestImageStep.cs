namespace ComfyAuth.Installation.Steps;

/// <summary>A picture that the server makes, and that is looked at.</summary>
internal sealed class TestImageStep : InstallStep
{
    /// <inheritdoc/>
    public override InstallStepName Name => InstallStepName.TestImage;

    /// <inheritdoc/>
    public override InstallParts Part => InstallParts.Test;

    /// <inheritdoc/>
    public override Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop) => throw new NotImplementedException();
}
