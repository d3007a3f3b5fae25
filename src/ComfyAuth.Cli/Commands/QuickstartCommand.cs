using System.CommandLine;
using ComfyAuth.Cli.Quickstart;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Environments;
using ComfyAuth.Reports;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;
using Spectre.Console;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth quickstart</c>: shows what the tool does on a sample stack; needs no Docker, GPU or network.</summary>
internal static class QuickstartCommand
{
    public static Command Create()
    {
        var keep = new Option<bool>("--keep") { Description = "Keep the sample stack." };
        var path = new Option<string?>("--path") { Description = "Lay the sample stack out in this new or empty folder, and keep it.", Validators = { CommandSession.RequireValue } };
        var command = new Command("quickstart", "Breaks a sample stack as the original was broken, shows it, repairs it and proves it.") { keep, path };
        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            json: false,
            verbose: false,
            (session, stop) => RunAsync(session, parsed.GetValue(path), parsed.GetValue(keep), stop),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CommandSession session, string? chosen, bool keep, CancellationToken stop)
    {
        var folder = chosen is null ? Temporary() : Path.GetFullPath(chosen);
        using var claim = chosen is null ? null : Claim(folder);
        var root = Path.Combine(folder, "stack");
        var report = Path.Combine(folder, "report.md");
        int code;
        try
        {
            await SampleStack.LayOutAsync(root, session.Redactor, stop);
            code = await ShowAsync(session, GenAIStack.Find(root), report, stop);
        }
        catch when (chosen is null && !keep)
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }

        session.Say($"\nThe report of the audit: {report}");
        if (keep || chosen is not null)
        {
            session.Say($"The sample stack:        {root}");
        }
        else
        {
            Directory.Delete(root, recursive: true);
            session.Say("The sample stack is removed; --keep keeps it.");
        }

        return code;
    }

    private static async Task<int> ShowAsync(CommandSession session, GenAIStack stack, string report, CancellationToken stop)
    {
        // What the person's own shell holds has nothing to do with the sample.
        static string? NoShell(string name) => null;
        var auditor = new TokenAuditor(session.Verifier, session.Redactor, NoShell);
        var synchronizer = new TokenSynchronizer(session.Verifier, session.Redactor, NoShell);
        var restorer = new EnvironmentRestorer(session.Verifier, session.Redactor);

        Title("1. The containers: what each is really doing");
        session.Show(await DiagnoseAsync(session, stack, stop), diagnosis => diagnosis.Stack, ContainerTables.Of);

        Title("2. The audit: where the credential is not its source's, and why");
        var before = auditor.Audit(stack, cancellationToken: stop);
        session.Show(before, seen => seen.Stack, TokenTables.Of);
        session.Show(EnvironmentValidator.Validate(stack), validation => validation.Stack, EnvironmentTables.Of);
        await TokenReportWriter.WriteAsync(TokenReport.Of(before, DateTimeOffset.UtcNow), report, stop);

        Title("3. The repair: only what differs is written, all of it or nothing");
        session.Show(await synchronizer.Plan(stack, new(), stop).ApplyAsync(cancellationToken: stop), result => result.Stack, TokenTables.Of);
        var restored = new List<EnvironmentRestoreResult>();
        foreach (var plan in restorer.Plan(stack, new(), stop))
            restored.Add(await plan.ApplyAsync(cancellationToken: stop));
        session.Show(restored, result => result.Stack, EnvironmentTables.Of);

        Title("4. The proof: read from the disk again");
        var validations = auditor.Validate(stack, cancellationToken: stop);
        session.Show(validations, validation => validation.Stack, TokenTables.Of);
        var environments = EnvironmentValidator.Validate(stack);
        session.Show(environments, environment => environment.Stack, EnvironmentTables.Of);
        return ExitCode.Of(
            validations.Any(validation => validation.IsValid == false) || environments.Any(environment => !environment.IsValid),
            validations.Any(validation => validation.IsValid is null));
    }

    /// <summary>Looks at containers that run nowhere: the engine and the services that tell of them are gone when this returns.</summary>
    private static async Task<IReadOnlyList<ContainerDiagnosis>> DiagnoseAsync(CommandSession session, GenAIStack stack, CancellationToken stop)
    {
        await using var sample = await SampleContainers.StartAsync(stack, session.Redactor, stop);
        await using var client = new DockerClient(sample.Engine);
        var observer = new ContainerObserver(client, session.Redactor, (of, service) => BearerToken.Of(of, service, session.Redactor));
        var diagnoses = new List<ContainerDiagnosis>();
        await foreach (var snapshot in observer.ObserveAsync(sample.Stack, sample.Stack.Definition.Services, stop))
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
