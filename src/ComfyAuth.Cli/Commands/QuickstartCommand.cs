using System.CommandLine;
using ComfyAuth.Cli.Quickstart;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Environments;
using ComfyAuth.Installation;
using ComfyAuth.Reports;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;
using ComfyAuth.Validation;
using Spectre.Console;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth quickstart</c>: shows what the tool does on a sample stack; needs no Docker, GPU or network.</summary>
internal static class QuickstartCommand
{
    public static Command Create()
    {
        var keep = new Option<bool>("--keep") { Description = "Keep the sample stack." };
        var path = new Option<string?>("--path") { Description = "Lay the sample stack out in this new or empty folder, and keep it.", Validators = { CommandSession.RequireValue } };
        var serve = new Option<bool>("--serve") { Description = "Keep the emulated engine and services running until Ctrl+C, to try the other commands on." };
        var install = new Option<bool>("--install") { Description = "Show an installation in place of a repair." };
        var command = new Command("quickstart", "Breaks a sample stack as the original was broken, shows it, repairs it and proves it.") { install, keep, path, serve };
        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            json: false,
            verbose: false,
            (session, stop) => parsed.GetValue(install)
                ? InstallAsync(session, parsed.GetValue(path), parsed.GetValue(keep), parsed.GetValue(serve), stop)
                : RunAsync(session, parsed.GetValue(path), parsed.GetValue(keep), parsed.GetValue(serve), stop),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CommandSession session, string? chosen, bool keep, bool serve, CancellationToken stop)
    {
        var folder = chosen is null ? Temporary() : Path.GetFullPath(chosen);
        using var claim = chosen is null ? null : Claim(folder);
        var root = Path.Combine(folder, "stack");
        int code;
        try
        {
            await SampleStack.LayOutAsync(root, session.Redactor, stop);
            code = await ShowAsync(session, GenAIStack.Find(root), folder, stop);
        }
        catch when (chosen is null && !keep && !serve)
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }

        session.Say($"\nThe reports: {Path.Combine(folder, "before.html")}\n             {Path.Combine(folder, "after.html")}");
        if (keep || serve || chosen is not null)
        {
            session.Say($"The stack:   {root}");
            if (serve)
                await ServeAsync(session, GenAIStack.Find(root), stop);
        }
        else
        {
            Directory.Delete(root, recursive: true);
            session.Say("The sample stack is removed; --keep keeps it.");
        }

        return code;
    }

    /// <summary>Shows an installation into an empty folder, the same again, one that fails, and the removal.</summary>
    private static async Task<int> InstallAsync(CommandSession session, string? chosen, bool keep, bool serve, CancellationToken stop)
    {
        var folder = chosen is null ? Temporary() : Path.GetFullPath(chosen);
        using var claim = chosen is null ? null : Claim(folder);
        var root = Path.Combine(folder, "stack");
        try
        {
            await using var sample = await SampleInstallation.StartAsync(root, stop);
            var code = await InstallAsync(session, sample, root, serve, stop);
            session.Say($"\nThe reports: {sample.Options.ReportDirectory}");
            if (keep || serve || chosen is not null)
                session.Say($"The stack:   {root}");
            if (serve)
                await ServeAsync(session, sample, root, stop);
            return code;
        }
        finally
        {
            if (chosen is null && !keep && !serve && Directory.Exists(root))
                Directory.Delete(root, recursive: true);
        }
    }

    private static async Task<int> InstallAsync(CommandSession session, SampleInstallation sample, string root, bool serve, CancellationToken stop)
    {
        var installer = new Installer(sample.Client, new EmulatedCompose(sample.Engine, sample.Client), session.Redactor, session.Verifier) { HubEndpoint = sample.Hub.Address };
        async Task<bool> EndsAsync(InstallOutcome wanted)
        {
            var report = await installer.RunAsync(Installer.StackAt(root), sample.Options, null, step => InstallDisplay.Print(session, step), null, stop);
            session.Say($"\n{report.Outcome}.");
            return report.Outcome == wanted;
        }

        Title("1. The installation: what is missing is made, and proven");
        var isAsShown = await EndsAsync(InstallOutcome.Installed);
        Title("2. The same again: what is there is left alone");
        isAsShown &= await EndsAsync(InstallOutcome.Unchanged);
        if (serve)
            return isAsShown ? ExitCode.Fine : ExitCode.NotFine;

        Title("3. A step fails: what it had changed is taken back");
        sample.SpoilModel();
        isAsShown &= await EndsAsync(InstallOutcome.RolledBack);
        Title("4. The removal: models and pictures stay, and what was changed since");
        var removed = new List<UndoneChange>();
        await foreach (var undone in new Uninstaller(sample.Client, session.Redactor, session.Verifier).RunAsync(Uninstaller.StackAt(root), null, null, stop))
            removed.Add(undone);
        session.Show(removed, undone => undone.Stack, InstallDisplay.Of);
        return isAsShown ? ExitCode.Fine : ExitCode.NotFine;
    }

    /// <summary>Keeps what was installed running.</summary>
    private static Task ServeAsync(CommandSession session, SampleInstallation sample, string root, CancellationToken stop)
    {
        session.Say($"The hub:     {sample.Hub.Address}\nThe engine:  {sample.Engine.Endpoint.Address}");
        session.Say($"\nTry in another window, with HF_ENDPOINT set to the address of the hub:\n  comfyauth install --path {root} --docker-host {sample.Engine.Endpoint.Address}\n  Install-ComfyQwen {root} -DockerHost {sample.Engine.Endpoint.Address}\nCtrl+C ends the engine and the services.");
        return UntilStoppedAsync(stop);
    }

    private static Task UntilStoppedAsync(CancellationToken stop) =>
        Task.Delay(Timeout.Infinite, stop).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private static async Task<int> ShowAsync(CommandSession session, GenAIStack stack, string folder, CancellationToken stop)
    {
        Title("1. The containers: what each is really doing");
        var before = await InSampleAsync(stack, isMended: false, session, async (here, engine) =>
        {
            session.Show(await DiagnoseAsync(session, here, engine, stop), diagnosis => diagnosis.Stack, ContainerTables.Of);

            Title("2. The checks: what is not as it should be, and why");
            return await TestAsync(session, here, engine, stop);
        }, stop);
        await WriteAsync(session, before, Path.Combine(folder, "before.html"), stop);

        Title("3. The repair: only what differs is written, all of it or nothing");
        await RepairAsync(session, stack, before, stop);

        // The containers are made anew, as Restart-GenAIContainer does with real ones.
        Title("4. The proof: every check again");
        var after = await InSampleAsync(stack, isMended: true, session, (here, engine) => TestAsync(session, here, engine, stop), stop);
        after = after.ComparedWith(before);
        await WriteAsync(session, after, Path.Combine(folder, "after.html"), stop);
        session.Say($"{after.Baseline!.Fixed.Count} mended, {after.Baseline.StillFailing.Count} left. Score: {before.Score} of 100 before, {after.Score} after.");
        return ExitCode.Of(after.Failed > 0, after.Errors > 0);
    }

    /// <summary>Keeps the mended sample running, at the addresses that its stack file then has.</summary>
    private static async Task ServeAsync(CommandSession session, GenAIStack stack, CancellationToken stop)
    {
        await using var sample = await SampleContainers.StartAsync(stack, isMended: true, session.Redactor, stop);
        await SampleContent.WriteAddressesAsync(stack.Root, sample.Stack.Definition.Services, stop);
        session.Say($"The engine:  {sample.Engine.Address}");
        session.Say($"\nTry in another window:\n  comfyauth test --path {stack.Root} --docker-host {sample.Engine.Address}\n  Test-GenAIEcosystem {stack.Root} -DockerHost {sample.Engine.Address}\nCtrl+C ends the engine and the services.");
        await UntilStoppedAsync(stop);
    }

    private static async Task RepairAsync(CommandSession session, GenAIStack stack, ValidationReport before, CancellationToken stop)
    {
        var synchronizer = new TokenSynchronizer(session.Verifier, session.Redactor, NoShell);
        session.Show(await synchronizer.Plan(stack, new(), stop).ApplyAsync(cancellationToken: stop), result => result.Stack, TokenTables.Of);

        var restored = new List<EnvironmentRestoreResult>();
        foreach (var plan in new EnvironmentRestorer(session.Verifier, session.Redactor).Plan(stack, new(), stop))
            restored.Add(await plan.ApplyAsync(cancellationToken: stop));
        session.Show(restored, result => result.Stack, EnvironmentTables.Of);

        // What is left to mend. No check of files asks the engine.
        var repairer = new StackRepairer(session.Redactor, session.Verifier, () => throw new InvalidOperationException("There is no engine any more."));
        await repairer.RepairAsync(stack, Options, before.Checks, SayAsync, stop);

        await SampleContent.MendHealthcheckAsync(stack.Root, stop);
        session.Say($"Let the healthcheck ask /login:\n  {SampleContent.ComposeFile}");

        Task<bool> SayAsync(PlannedChange change)
        {
            session.Say($"{change.Action}:\n  {Path.GetRelativePath(stack.Root, change.Target)}");
            return Task.FromResult(true);
        }
    }

    // What the person's own shell holds has nothing to do with the sample.
    private static string? NoShell(string name) => null;

    // Nor have the programs and the room of this machine, and the emulated engine is an old one.
    private static ValidationOptions Options { get; } = new() { Shell = NoShell, Exclude = ["engine.version", "engine.resources", "compose.command"] };

    private static async Task<ValidationReport> TestAsync(CommandSession session, GenAIStack stack, DockerClient engine, CancellationToken stop)
    {
        var report = await ValidationReport.OfRunAsync(stack, Options, options => new StackValidator(session.Redactor, session.Verifier, () => engine).RunAsync(stack, options, stop));
        AnsiConsole.Write(CheckTables.Findings(report.Checks));
        return report;
    }

    private static Task WriteAsync(CommandSession session, ValidationReport report, string path, CancellationToken stop) =>
        ValidationReportWriter.WriteAsync(report, path, session.Redactor, stop);

    /// <summary>Works with containers that run nowhere: the engine and the services that tell of them are gone when this returns.</summary>
    private static async Task<T> InSampleAsync<T>(GenAIStack stack, bool isMended, CommandSession session, Func<GenAIStack, DockerClient, Task<T>> work, CancellationToken stop)
    {
        await using var sample = await SampleContainers.StartAsync(stack, isMended, session.Redactor, stop);
        await using var client = new DockerClient(sample.Engine);
        return await work(sample.Stack, client);
    }

    private static async Task<IReadOnlyList<ContainerDiagnosis>> DiagnoseAsync(CommandSession session, GenAIStack stack, DockerClient engine, CancellationToken stop)
    {
        var observer = new ContainerObserver(engine, session.Redactor, (of, service) => BearerToken.Of(of, service, session.Redactor));
        var diagnoses = new List<ContainerDiagnosis>();
        await foreach (var snapshot in observer.ObserveAsync(stack, stack.Definition.Services, stop))
            diagnoses.Add(ContainerDiagnostician.Diagnose(snapshot, session.Redactor));
        return diagnoses;
    }

    private static string Temporary()
    {
        try
        {
            return Directory.CreateTempSubdirectory("comfyauth-quickstart-").FullName;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ComfyAuthException("TemporaryFolderUnusable", $"No folder can be made in '{Path.GetTempPath()}'.", "Set TMPDIR (TEMP on Windows) to a folder that you may write to, or give --path.", error);
        }
    }

    /// <summary>Makes an empty folder this run's own until its end; of two runs at once, one gets it.</summary>
    private static FileStream Claim(string folder)
    {
        if (File.Exists(folder) || Entries(folder).Any())
            throw NotEmpty(folder);

        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, ".quickstart");
        FileStream? claim = null;
        try
        {
            claim = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);

            // Another run can have come and gone since the folder was seen empty.
            if (Entries(folder).SequenceEqual([file]))
                return claim;
        }
        catch (IOException) when (claim is null && File.Exists(file))
        {
            // It is another run's.
        }

        claim?.Dispose();
        throw NotEmpty(folder);

        static IEnumerable<string> Entries(string folder) => Directory.Exists(folder) ? Directory.EnumerateFileSystemEntries(folder) : [];
    }

    private static ComfyAuthException NotEmpty(string folder) =>
        new("FolderNotEmpty", $"'{folder}' is not an empty folder.", "Choose one that is, or one that does not exist yet.");

    private static void Title(string text)
    {
        AnsiConsole.WriteLine();
        AnsiConsole.Write(new Rule(text.EscapeMarkup()) { Justification = Justify.Left });
    }
}
