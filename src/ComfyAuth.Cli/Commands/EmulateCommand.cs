using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json.Nodes;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Emulator.Hub;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth emulate</c>: runs a stand-in for ComfyUI with ComfyUI-Login until it is stopped.</summary>
internal static class EmulateCommand
{
    private static readonly Option<int> Port = new("--port") { Description = "The port of 127.0.0.1; 0: one that is free.", Validators = { Between(0, 65535) } };
    private static readonly Option<string?> PasswordFile = new("--password-file") { Description = "The login's PASSWORD file; one that does not exist yet is a login without a password. Default: a new password, in a temporary file.", Validators = { CommandSession.RequireValue } };
    private static readonly Option<bool> NoLogin = new("--no-login") { Description = "Without ComfyUI-Login: everything is open." };
    private static readonly Option<string> Version = new("--version") { Description = "The version of ComfyUI: 0.3.18 or 0.3.64.", DefaultValueFactory = _ => "0.3.64" };
    private static readonly Option<string?> Folder = new("--folder") { Description = "Keep the images in this folder. Default: a temporary one.", Validators = { CommandSession.RequireValue } };
    private static readonly Option<double?> Memory = new("--vram") { Description = "The memory of the GPU in GiB; 0: none, it runs on the CPU. Default: 24.", Validators = { Between(0, 1 << 20) } };
    private static readonly Option<double?> FreeMemory = new("--free-vram") { Description = "How much of it is free, in GiB. Default: half.", Validators = { Between(0, 1 << 20) } };
    private static readonly Option<TimeSpan> StepTime = CommandSession.Time("--step-time", "How long a step of a sampler takes, such as 200ms.");
    private static readonly Option<bool> Previews = new("--previews") { Description = "Send a preview after each step." };
    private static readonly Option<TimeSpan> Boot = CommandSession.Time("--boot", "How long connections are reset before it answers.");
    private static readonly Option<double> Errors = new("--errors") { Description = "The part of the requests that is answered with 500, from 0 to 1.", Validators = { Between(0, 1) } };
    private static readonly Option<string[]> Fail = new("--fail") { Description = "Nodes of this class run out of GPU memory; may be repeated.", Validators = { CommandSession.RequireValue } };
    private static readonly Option<string[]> Hang = new("--hang") { Description = "Nodes of this class run until they are interrupted; may be repeated.", Validators = { CommandSession.RequireValue } };

    private static readonly Option<bool> Hub = new("--hub") { Description = "Also serve a model hub, with stand-ins of the Qwen models that have a thousandth of their sizes." };

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print where it is as one JSON document on one line." };
        Version.AcceptOnlyFromAmong("0.3.18", "0.3.64");
        var command = new Command("emulate", "Runs a stand-in for ComfyUI with ComfyUI-Login on 127.0.0.1 until Ctrl+C.")
        {
            Port, PasswordFile, NoLogin, Version, Folder, Memory, FreeMemory, StepTime, Previews, Boot, Errors, Fail, Hang, Hub, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(NoLogin) && result.GetResult(PasswordFile) is { Implicit: false })
                result.AddError("Give one of --password-file and --no-login.");
            if (result.GetValue(FreeMemory) > (result.GetValue(Memory) ?? 24))
                result.AddError("--free-vram cannot be more than --vram.");
        });
        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            parsed.GetValue(json),
            verbose: false,
            async (session, stop) =>
            {
                if (parsed.GetValue(NoLogin) || parsed.GetValue(PasswordFile) is not null)
                    return await ServeAsync(session, parsed, parsed.GetValue(PasswordFile), webPasswordFile: null, stop);

                var folder = Directory.CreateTempSubdirectory("comfyauth-emulate-").FullName;
                try
                {
                    var (passwordFile, webPasswordFile) = WriteCredential(folder, stop);
                    return await ServeAsync(session, parsed, passwordFile, webPasswordFile, stop);
                }
                finally
                {
                    Directory.Delete(folder, recursive: true);
                }
            },
            cancellationToken));
        return command;
    }

    private static async Task<int> ServeAsync(CommandSession session, ParseResult parsed, string? passwordFile, string? webPasswordFile, CancellationToken stop)
    {
        passwordFile = passwordFile is null ? null : Path.GetFullPath(passwordFile);
        await using var server = await EmulatedComfyUI.StartAsync(
            new()
            {
                Port = parsed.GetValue(Port),
                PasswordFile = passwordFile,
                Version = parsed.GetValue(Version)!,
                Folder = parsed.GetValue(Folder),
                GpuMemory = parsed.GetValue(Memory) is { } memory ? memory > 0 ? Bytes(memory) : null : 24L << 30,
                FreeGpuMemory = parsed.GetValue(FreeMemory) is { } free ? Bytes(free) : null,
                StepTime = parsed.GetValue(StepTime),
                Phase = parsed.GetValue(Boot) > TimeSpan.Zero ? ComfyUIPhase.Resetting : ComfyUIPhase.Listening,
                Previews = parsed.GetValue(Previews),
            },
            stop);
        LayFaults(server, parsed);
        await using var hub = parsed.GetValue(Hub) ? await EmulatedHub.StartAsync(stop: stop) : null;
        var models = hub is null ? [] : DefaultLayout.QwenModels.Select((model, number) => AddStandIn(hub, model, number)).ToArray();
        Tell(session, server, parsed.GetValue(Version)!, passwordFile, webPasswordFile, hub, models);
        try
        {
            await Task.Delay(parsed.GetValue(Boot), stop);
            server.Phase = ComfyUIPhase.Listening;
            await Task.Delay(Timeout.InfiniteTimeSpan, stop);
        }
        catch (OperationCanceledException)
        {
            // That is how it is meant to end.
        }

        return ExitCode.Fine;
    }

    private static HostedFile AddStandIn(EmulatedHub hub, ModelFile model, int number)
    {
        var file = new HostedFile(model.Repository!, model.PathInRepository!, HubContent.Safetensors(model.SizeInBytes!.Value / 1000, number));
        hub.Add(file);
        return file;
    }

    private static void LayFaults(EmulatedComfyUI server, ParseResult parsed)
    {
        var (failing, hanging) = (parsed.GetValue(Fail) ?? [], parsed.GetValue(Hang) ?? []);
        if (failing.Concat(hanging).FirstOrDefault(name => !server.NodeClasses.Contains(name)) is { } unknown)
            throw new ComfyAuthException("NodeClassUnknown", $"ComfyUI {parsed.GetValue(Version)} has no nodes of the class '{unknown}' here.", $"Choose one of {string.Join(", ", server.NodeClasses)}.");
        server.NodeFaults = (_, name) => failing.Contains(name) ? NodeFault.OutOfMemory : hanging.Contains(name) ? NodeFault.Hang : null;

        var share = parsed.GetValue(Errors);
        var error = new Fault { Answer = new(500, "text/plain", "500 Internal Server Error\n\nServer got itself in trouble") };

        // Evenly spread, so that the same requests fail in each run.
        if (share > 0)
            server.Faults = _ => Math.Floor(server.Requests * share) > Math.Floor((server.Requests - 1) * share) ? error : null;
    }

    private static void Tell(CommandSession session, EmulatedComfyUI server, string version, string? passwordFile, string? webPasswordFile, EmulatedHub? hub, HostedFile[] models)
    {
        if (session.IsJson)
        {
            Console.Out.WriteLine(new JsonObject
            {
                ["address"] = server.Address.ToString(),
                ["version"] = version,
                ["login"] = passwordFile is not null,
                ["passwordFile"] = passwordFile,
                ["webPasswordFile"] = webPasswordFile,
                ["folder"] = server.Folder,
                ["hub"] = hub?.Address.ToString(),
                ["models"] = new JsonArray([.. models.Select(model => new JsonObject
                {
                    ["repository"] = model.Repository,
                    ["pathInRepository"] = model.Path,
                    ["sizeInBytes"] = model.Content.Length,
                    ["sha256"] = model.Content.Sha256,
                })]),
            }.ToJsonString());
        }

        session.Say($"ComfyUI {version} {(passwordFile is null ? "without a login" : "with ComfyUI-Login")}, emulated: {server.Address}");
        if (passwordFile is not null)
            session.Say($"Password file; its first line is the bearer token: {passwordFile}");
        if (webPasswordFile is not null)
            session.Say($"Password of the web login: {webPasswordFile}");
        session.Say($"Images: {server.Folder}");
        if (hub is not null)
            session.Say($"Model hub, for HF_ENDPOINT: {hub.Address}");
        foreach (var model in models)
            session.Say($"Its {model.Repository}/{model.Path}: {model.Content.Length} bytes, SHA-256 {model.Content.Sha256}");
        session.Say("Ctrl+C stops it.");

        // As with the real one, a password file that the node cannot read leaves everything open.
        foreach (var line in server.Log.Where(line => line.StartsWith("Cannot import", StringComparison.Ordinal)))
            session.Warn($"Everything is open: {line}");
    }

    private static (string PasswordFile, string WebPasswordFile) WriteCredential(string folder, CancellationToken stop)
    {
        var password = RandomSecret.Create();
        Directory.CreateDirectory(Path.Combine(folder, "login"));
        return (Write("login/PASSWORD", $"{Bcrypt.Hash(password, cancellationToken: stop).Reveal()}\nadmin\n"), Write("password", password.Reveal()));

        string Write(string name, string text)
        {
            // The owner's alone before there is anything in it.
            var path = Path.Combine(folder, name);
            File.Create(path).Dispose();
            FilePermissions.MakeOwnerOnly(path);
            File.WriteAllText(path, text);
            return path;
        }
    }

    private static long Bytes(double gibibytes) => (long)(gibibytes * (1L << 30));

    private static Action<OptionResult> Between(double least, double most) => result =>
    {
        // What is no number is told by the parser.
        if (result.Tokens is [var word] && double.TryParse(word.Value, System.Globalization.CultureInfo.InvariantCulture, out var value) && !(value >= least && value <= most))
            result.AddError($"{result.Option.Name}: '{word.Value}' is not from {least} to {most}.");
    };
}
