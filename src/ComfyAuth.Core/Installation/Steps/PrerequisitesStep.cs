namespace ComfyAuth.Installation.Steps;

/// <summary>What must be there already; makes nothing.</summary>
internal sealed class PrerequisitesStep : InstallStep
{
    /// <inheritdoc/>
    public override InstallStepName Name => InstallStepName.Prerequisites;

    /// <inheritdoc/>
    public override InstallParts Part => InstallParts.None;

    /// <inheritdoc/>
    public override Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop) => throw new NotImplementedException();
}
