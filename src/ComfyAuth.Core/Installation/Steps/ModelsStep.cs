namespace ComfyAuth.Installation.Steps;

/// <summary>The model files.</summary>
internal sealed class ModelsStep : InstallStep
{
    /// <inheritdoc/>
    public override InstallStepName Name => InstallStepName.Models;

    /// <inheritdoc/>
    public override InstallParts Part => InstallParts.Models;

    /// <inheritdoc/>
    public override Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop) => throw new NotImplementedException();
}
