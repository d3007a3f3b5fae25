using System.Management.Automation;
using ComfyAuth.Containers;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Switches the guest mode of ComfyUI-Login on or off, and asks the server how it is.</summary>
/// <remarks>
/// <para>
/// In guest mode whoever reaches the service may come in without a password: guests read every picture, prompt and setting,
/// queue prompts and upload pictures. So switching it on asks first, unless Force is given.
/// </para>
/// <para>
/// It is on while a file GUEST_MODE stands beside the login's PASSWORD. Where that folder is mounted from this machine, the
/// file is made and removed here, else in the container, which must run for the removal. The server looks for the file at each
/// visit of the login page, so no restart is needed; IsProven says whether that page agrees.
/// </para>
/// <para>
/// Switching it off keeps new guests out. Those who are in stay in: their sessions are in their cookies alone.
/// </para>
/// </remarks>
/// <example>
/// <code>Set-ComfyGuestMode -Service comfyui-qwen -State On</code>
/// Lets guests in, after a question.
/// </example>
/// <example>
/// <code>Set-ComfyGuestMode -State Off | Where-Object IsProven -NE $true</code>
/// Switches guest mode off everywhere in the stack, and shows where the server does not confirm it.
/// </example>
/// <example>
/// <code>Set-ComfyGuestMode -State Off -WhatIf</code>
/// Shows which files would be removed.
/// </example>
[Cmdlet(VerbsCommon.Set, "ComfyGuestMode", SupportsShouldProcess = true)]
[OutputType(typeof(GuestModeChange))]
public sealed class SetComfyGuestModeCommand : ContainerCmdlet
{
    private readonly HashSet<(string Stack, string Service)> _done = [];

    /// <summary>On lets in guests, Off does not.</summary>
    [Parameter(Mandatory = true)]
    public GuestModeState State { get; set; }

    /// <summary>Switches it on without the question that is asked otherwise.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override async Task ProcessContainersAsync(CmdletPipe pipe, GenAIStack stack, IReadOnlyList<ServiceDefinition> services, ContainerObserver observer, CancellationToken stop)
    {
        // Those that were not named are meant only where they have a guest mode.
        var isNamed = Service is not null || Name is not null;
        var meant = services.Where(service => isNamed || service.Auth == AuthKind.ComfyUILogin).ToList();
        if (meant.Count == 0)
            throw new ComfyAuthException("NoLoginService", $"No service of '{stack.Root}' is behind ComfyUI-Login.", "Give the service 'auth: comfyui-login' in the stack file.");

        var guests = new GuestModeSwitch(Engine!, pipe.Redactor);
        foreach (var service in meant.Where(service => _done.Add((stack.Root, service.Name))))
        {
            try
            {
                var plan = await guests.PlanAsync(stack, service, State, stop);
                PlannedChange[] changes = plan.Change is { } change ? [change] : [];
                if (await ApplyAsync(pipe, changes, approve => plan.ApplyAsync(async one => await approve(one) && await IsMeantAsync(pipe, service), stop)) is { } result)
                    pipe.WriteObject(result);
            }
            catch (ComfyAuthException error)
            {
                pipe.WriteError(error, service.Container);
            }
        }
    }

    private async Task<bool> IsMeantAsync(CmdletPipe pipe, ServiceDefinition service) =>
        State == GuestModeState.Off
        || Force
        || await pipe.ShouldContinueAsync($"Whoever reaches {service.Url} will see every picture, prompt and setting and queue prompts, without a password. Let in guests?", "Switch guest mode on");
}
