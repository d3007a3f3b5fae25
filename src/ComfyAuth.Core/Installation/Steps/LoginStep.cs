namespace ComfyAuth.Installation.Steps;

/// <summary>ComfyUI-Login and further custom nodes in the container.</summary>
internal sealed class LoginStep : InstallStep
{
    /// <inheritdoc/>
    public override InstallStepName Name => InstallStepName.Login;

    /// <inheritdoc/>
    public override InstallParts Part => InstallParts.Docker;

    /// <inheritdoc/>
    public override Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop) => throw new NotImplementedException();
}
