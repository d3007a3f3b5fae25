namespace ComfyAuth.Installation.Steps;

/// <summary>One credential everywhere, proven on the live server.</summary>
internal sealed class AuthenticationStep : InstallStep
{
    /// <inheritdoc/>
    public override InstallStepName Name => InstallStepName.Authentication;

    /// <inheritdoc/>
    public override InstallParts Part => InstallParts.Auth;

    /// <inheritdoc/>
    public override Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop) => throw new NotImplementedException();
}
