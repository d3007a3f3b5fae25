using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>
/// Switches the guest mode of ComfyUI-Login, which is on while a file <c>GUEST_MODE</c> stands beside its <c>PASSWORD</c>. The file is
/// made and removed on this machine where its folder is mounted from here, else in the container.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="redactor">Takes the secrets out of what an engine says.</param>
public sealed class GuestModeSwitch(DockerClient engine, SecretRedactor redactor)
{
    private const string FileName = "GUEST_MODE";
    private const UnixFileMode EverybodyReads = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Looks what there is to do.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="service">A service behind ComfyUI-Login.</param>
    /// <param name="state">The state that is wanted.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException">
    /// <c>NoLoginService</c>: the service is not behind ComfyUI-Login. <c>ContainerAbsent</c>. <c>LoginFolderUnknown</c>: the folder of the
    /// login was not found, or must not be looked for. <c>GuestModeNotSet</c>: the file is a mount of its own.
    /// </exception>
    /// <exception cref="DockerException">The engine cannot be asked.</exception>
    public async Task<GuestModePlan> PlanAsync(GenAIStack stack, ServiceDefinition service, GuestModeState state, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(service);
        if (service.Auth != AuthKind.ComfyUILogin)
            throw new ComfyAuthException("NoLoginService", $"'{service.Name}' is not behind ComfyUI-Login.", "Choose a service that is, or give it 'auth: comfyui-login' in the stack file.");

        var all = await engine.ListContainersAsync(stop: stop).ConfigureAwait(false);
        var listed = ContainerObserver.Find(stack, service, all)
            ?? throw new ComfyAuthException("ContainerAbsent", $"There is no container '{service.Container}'.", "Create it with 'docker compose up -d' where its compose file is.");
        var container = await engine.InspectContainerAsync(listed.Id, stop).ConfigureAwait(false);
        var path = await PathAsync(container, stack, service, stop).ConfigureAwait(false);
        if (LivePasswordReader.MountOf(container, path)?.Destination == path)
            throw NotSet($"'{path}' of the container '{container.Name}' is itself a mount", "Take the mount out of the compose file and recreate the container.");

        var folder = MountSources.IsHere(engine.Endpoint) ? LivePasswordReader.HostPath(container, path[..^(FileName.Length + 1)]) : null;
        var hostPath = folder is not null && Directory.Exists(folder) ? Path.Combine(folder, FileName) : null;
        var before = await StateAsync(container, path, hostPath, stop).ConfigureAwait(false);
        return new(this, stack, service, container, path, hostPath)
        {
            Before = before,
            AnswersItself = ContainerObserver.AnswersItself(listed, service),
            Change = before == state ? null : new(hostPath ?? $"{container.Name}:{path}", state),
        };
    }

    /// <summary>Does what is planned.</summary>
    internal async Task<GuestModeChange> ApplyAsync(GuestModePlan plan, Func<PlannedGuestModeChange, Task<bool>>? approve, CancellationToken stop)
    {
        var isChanged = plan.Change is { } change && (approve is null || await approve(change).ConfigureAwait(false));
        if (isChanged)
            await SwitchAsync(plan, plan.Change!.State, stop).ConfigureAwait(false);

        var state = isChanged ? await StateAsync(plan.Container, plan.Path, plan.HostPath, stop).ConfigureAwait(false) : plan.Before;
        if (isChanged && state != plan.Change!.State)
            throw NotSet($"'{plan.File}' is as it was, although nothing failed", "See whether another program makes or removes it.");

        var page = plan.AnswersItself ? await PageAsync(plan.Service, stop).ConfigureAwait(false) : null;
        bool? isProven = page is null || !(LoginPage.IsSet(page) || LoginPage.IsFirstLogin(page)) ? null : LoginPage.OffersGuestMode(page) == (state == GuestModeState.On);
        return new()
        {
            Stack = plan.Stack.Root,
            Service = plan.Service.Name,
            Container = plan.Container.Name,
            State = state,
            File = redactor.Redact(plan.File),
            IsChanged = isChanged,
            IsProven = isProven,
            Message = $"{Said(state, isProven, page)}{(isChanged && state == GuestModeState.Off ? " Guests who are in stay in until .secret-key.txt in the node's folder is deleted and the container restarted." : "")}",
        };
    }

    private static string Said(GuestModeState state, bool? isProven, LoginReply? page) => (state, isProven) switch
    {
        (GuestModeState.On, true) => "The login page offers guest mode. No restart is needed.",
        (GuestModeState.Off, true) => "The login page offers no guest mode. No restart is needed.",
        (GuestModeState.On, false) => "The file is there, and the login page offers no guest mode: this is not the folder that the server looks at, or its ComfyUI-Login has no guest mode. A restart does not help.",
        (GuestModeState.Off, false) => "The file is not there, and the login page still offers guest mode: this is not the folder that the server looks at. A restart does not help.",
        _ => $"The server could not be asked{(page is null ? "" : $": {page.What}")}. It looks for the file at each visit of the login page, so no restart is needed.",
    };

    private async Task<string> PathAsync(ContainerDetails container, GenAIStack stack, ServiceDefinition service, CancellationToken stop)
    {
        var password = (await new LivePasswordReader(engine, Patience).ReadAsync(container, stack, service, null, stop).ConfigureAwait(false))[0];
        if (password.Problem is TokenState.Unreadable or TokenState.Missing)
            throw new ComfyAuthException("LoginFolderUnknown", $"The folder of the login in the container '{container.Name}' is not known. {redactor.Redact(password.Evidence)}", password.Remedy.Length > 0 ? password.Remedy : "Start the container, and try again.");
        return password.Path[..(password.Path.LastIndexOf('/') + 1)] + FileName;
    }

    private async Task<GuestModeState> StateAsync(ContainerDetails container, string path, string? hostPath, CancellationToken stop)
    {
        var isThere = hostPath is not null ? Path.Exists(hostPath) : await engine.HeadArchiveAsync(container.Id, path, stop).ConfigureAwait(false) is not null;
        return isThere ? GuestModeState.On : GuestModeState.Off;
    }

    private async Task SwitchAsync(GuestModePlan plan, GuestModeState state, CancellationToken stop)
    {
        if (plan.HostPath is { } file)
            SwitchHere(file, state);
        else if (state == GuestModeState.On)
            await engine.WriteFileAsync(plan.Container.Id, plan.Path, new(ReadOnlyMemory<byte>.Empty, EverybodyReads), stop).ConfigureAwait(false);
        else if (plan.Container.State != ContainerState.Running)
            throw NotSet($"'{plan.File}' cannot be removed, because the container does not run", "Start the container, and switch guest mode off then.");
        else if (await engine.ExecAsync(plan.Container.Id, ["rm", "-f", plan.Path], stop: stop).ConfigureAwait(false) is { ExitCode: not 0 } failed)
            throw NotSet($"'{plan.File}' could not be removed: rm ended with exit code {failed.ExitCode} ({redactor.Redact(failed.StandardError.Trim())})", "Remove it yourself, as a user who may.");
    }

    private static void SwitchHere(string file, GuestModeState state)
    {
        try
        {
            if (state == GuestModeState.Off)
                File.Delete(file);
            else
                new FileStream(file, FileMode.CreateNew).Dispose();
        }
        catch (IOException) when (state == GuestModeState.On && File.Exists(file))
        {
            // Somebody else was as quick.
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotSet($"'{file}' could not be {(state == GuestModeState.On ? "made" : "removed")}: {error.Message.TrimEnd('.')}", "Run as the owner of its folder, or mend the permissions.", error);
        }
    }

    private static async Task<LoginReply> PageAsync(ServiceDefinition service, CancellationToken stop)
    {
        using var conversation = new LoginConversation(service, Patience, stop);
        return await conversation.AskAsync(new(LoginPage.Path) { WantsBody = true }, stop).ConfigureAwait(false);
    }

    private static ComfyAuthException NotSet(string what, string remedy, Exception? cause = null) =>
        new("GuestModeNotSet", $"Guest mode was not switched: {what}.", remedy, cause);
}
