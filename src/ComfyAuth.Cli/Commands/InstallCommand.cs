using System.CommandLine;
using System.CommandLine.Parsing;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Installation;
using ComfyAuth.Reports;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth install</c>: installs ComfyUI with ComfyUI-Login and the Qwen models, step by step.</summary>
internal static class InstallCommand
{
    /// <summary>The folder of the stack; one, since nobody installs into several at once.</summary>
    public static readonly Option<string> Path = new("--path") { Description = "The folder of the stack. Default: the current folder.", DefaultValueFactory = _ => ".", Validators = { CommandSession.RequireValue } };

    /// <summary>The service that is installed.</summary>
    public static readonly Option<string?> Service = new("--service") { Description = "The service. Default: the first one behind ComfyUI-Login.", Validators = { CommandSession.RequireValue } };

    /// <summary>Whether only what would be done is told.</summary>
    public static readonly Option<bool> Plan = new("--plan") { Description = "Only tell what would be changed." };

    private static readonly string[] Parts = ["docker", "models", "auth", "test"];

    public static Command Create()
    {
        var skip = new Option<string[]>("--skip") { Description = "Leave this out: docker, models, auth or test; may be repeated.", DefaultValueFactory = _ => [], Validators = { CommandSession.RequireValue, RequirePart } };
        var cpu = new Option<bool>("--cpu") { Description = "Install for the processor: no GPU is asked for." };
        var port = new Option<int?>("--port") { Description = "The port of this machine, for files that are made. Default: that of the stack file, or 8188.", Validators = { result => RequireFrom(result, 1, 65535) } };
        var node = new Option<string[]>("--custom-node") { Description = "A further custom node: the address of a git repository, with @ and a commit; may be repeated.", DefaultValueFactory = _ => [], Validators = { CommandSession.RequireValue } };
        var rate = new Option<long?>("--bytes-per-second") { Description = "The most that downloads may take together.", Validators = { result => RequireFrom(result, 1024, long.MaxValue) } };
        var timeout = CommandSession.Time("--timeout", "When to give up waiting for the container: 90s, 10m, 00:10:00, or seconds.", new InstallOptions().Timeout);
        var noRollback = new Option<bool>("--no-rollback") { Description = "Leave what was done when a step fails, so that the next run goes on with it." };
        var force = new Option<bool>("--force") { Description = "Also interrupt a container that runs." };
        var reports = new Option<string?>("--report-directory") { Description = "Write the report into this folder. Default: .comfyauth/reports of the stack.", Validators = { CommandSession.RequireValue } };
        var (_, _, json, verbose) = CommandSession.CommonOptions;
        var command = new Command("install", "Installs ComfyUI with ComfyUI-Login and the Qwen models, step by step; goes on with what was begun.")
        {
            Plan, skip, cpu, port, node, rate, timeout, noRollback, force, reports, Path, Service, ContainerChoice.Context, ContainerChoice.Host, json, verbose,
        };
        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            parsed.GetValue(json),
            parsed.GetValue(verbose),
            async (session, stop) =>
            {
                var options = new InstallOptions
                {
                    Service = parsed.GetValue(Service),
                    Skip = parsed.GetValue(skip)!.Aggregate(InstallParts.None, (parts, name) => parts | Enum.Parse<InstallParts>(name, ignoreCase: true)),
                    Cpu = parsed.GetValue(cpu),
                    Port = parsed.GetValue(port),
                    CustomNodes = parsed.GetValue(node)!,
                    BytesPerSecond = parsed.GetValue(rate),
                    Timeout = parsed.GetValue(timeout),
                    NoRollback = parsed.GetValue(noRollback),
                    ReportDirectory = parsed.GetValue(reports) is { } folder ? System.IO.Path.GetFullPath(folder) : null,
                };
                await using var engine = ContainerChoice.Connect(parsed);
                var installer = new Installer(engine, new ComposeDeployer(engine, session.Redactor, session.Logger), session.Redactor, session.Verifier, session.Logger);
                return await RunAsync(session, installer, parsed.GetValue(Path)!, options, parsed.GetValue(Plan), parsed.GetValue(force), stop);
            },
            cancellationToken));
        return command;
    }

    /// <summary>Installs and prints each step as it ends, or one JSON document at the end.</summary>
    private static async Task<int> RunAsync(CommandSession session, Installer installer, string path, InstallOptions options, bool isPlan, bool force, CancellationToken stop)
    {
        var reports = new List<InstallReport>();
        try
        {
            await session.TryAsync(async () =>
            {
                var stack = Installer.StackAt(path);
                reports.Add(isPlan
                    ? await installer.PlanAsync(stack, options, _ => Task.CompletedTask, step => InstallDisplay.Print(session, step), stop)
                    : await InstallDisplay.RunAsync(session, progress => installer.RunAsync(stack, options, ApproveAsync, step => InstallDisplay.Print(session, step), progress, stop)));
            });
        }
        catch (OperationCanceledException error) when (!isPlan)
        {
            throw new OperationCanceledException("What was done stays; the next run goes on with it.", error);
        }
        finally
        {
            InstallDisplay.Print(session, reports);
        }

        return reports is [var report] ? ExitOf(report.Outcome) : ExitCode.NotDone;

        Task<bool> ApproveAsync(PlannedChange change)
        {
            var isAllowed = force || change is not PlannedInstallChange { Interrupts: true };
            if (!isAllowed)
                session.Warn($"{change.Target} runs, and would be interrupted: {change.Action}. Give --force if that is all right.");
            return Task.FromResult(isAllowed);
        }
    }

    private static int ExitOf(InstallOutcome outcome) => outcome switch
    {
        InstallOutcome.Installed or InstallOutcome.Unchanged or InstallOutcome.Planned => ExitCode.Fine,
        InstallOutcome.Declined => ExitCode.NotFine,
        _ => ExitCode.NotDone,
    };

    private static void RequirePart(OptionResult result)
    {
        foreach (var token in result.Tokens.Where(token => !Parts.Contains(token.Value, StringComparer.OrdinalIgnoreCase)))
            result.AddError($"--skip: '{token.Value}' is none of {string.Join(", ", Parts)}.");
    }

    private static void RequireFrom(OptionResult result, long least, long most)
    {
        if (result.Tokens is [var token] && long.TryParse(token.Value, out var number) && (number < least || number > most))
            result.AddError($"{result.Option.Name}: {number} is too {(number < least ? "small" : "large")}.");
    }
}
