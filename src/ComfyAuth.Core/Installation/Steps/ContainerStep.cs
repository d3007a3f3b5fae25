namespace ComfyAuth.Installation.Steps;

/// <summary>The files of the deployment, the image, and the container that answers.</summary>
internal sealed class ContainerStep : InstallStep
{
    /// <inheritdoc/>
    public override InstallStepName Name => InstallStepName.Container;

    /// <inheritdoc/>
    public override InstallParts Part => InstallParts.Docker;

    /// <inheritdoc/>
    public override Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop) => throw new NotImplementedException();
}
