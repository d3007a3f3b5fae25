namespace ComfyAuth.Installation;

/// <summary>
/// A step of an installation. It looks what is missing, and each change that it plans makes itself, after the journal has been told
/// how it is undone; so nobody has to undo a step as a whole, whether it failed or the process was killed in the middle of it.
/// </summary>
internal abstract class InstallStep
{
    /// <summary>Which step it is.</summary>
    public abstract InstallStepName Name { get; }

    /// <summary>With which part it is left out.</summary>
    public virtual InstallParts Part => InstallParts.None;

    /// <summary>Whether it is proven also where nothing had to be changed, because only trying it out tells.</summary>
    public virtual bool AlwaysProves => false;

    /// <summary>Looks; changes nothing.</summary>
    /// <param name="context">The installation.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What was found, and what is to be changed.</returns>
    /// <exception cref="ComfyAuthException">The step cannot be done here; nothing was changed.</exception>
    public abstract Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop);

    /// <summary>Proves, after the changes were made, that all is as it should be.</summary>
    /// <param name="context">The installation.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What was proven; with no changes.</returns>
    /// <exception cref="ComfyAuthException">It is not.</exception>
    public virtual Task<StepPlan> VerifyAsync(InstallContext context, CancellationToken stop) => CheckAsync(context, stop);
}
