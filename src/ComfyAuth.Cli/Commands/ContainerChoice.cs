using System.CommandLine;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Cli.Commands;

/// <summary>Which containers a command is about, and where their engine is.</summary>
internal static class ContainerChoice
{
    private static readonly Option<string[]> Name = new("--name") { Description = "Only this container; * and ? are wildcards; may be repeated.", Validators = { CommandSession.RequireValue } };
    /// <summary>The Docker context that tells where the engine is.</summary>
    public static readonly Option<string?> Context = new("--context") { Description = "The Docker context that tells where the engine is.", Validators = { CommandSession.RequireValue } };
    /// <summary>The engine's address.</summary>
    public static readonly Option<string?> Host = new("--docker-host") { Description = "The address of the engine, such as tcp://gpu-box:2376.", Validators = { CommandSession.RequireValue } };

    /// <summary>Makes a command with the options of the choice, behind its own.</summary>
    public static Command Command(string verb, string description, params Option[] own)
    {
        var (path, service, json, verbose) = CommandSession.CommonOptions;
        var command = new Command(verb, description);
        foreach (var option in (Option[])[.. own, path, service, Name, Context, Host, json, verbose])
            command.Add(option);
        return command;
    }

    /// <summary>Finds the engine; the first question to it tells whether it is there.</summary>
    public static DockerClient Connect(ParseResult parsed) => new(new DockerEndpointResolver().Resolve(parsed.GetValue(Host), parsed.GetValue(Context)));

    /// <summary>Does the work for the chosen containers of each stack; an error of one stack spares the others.</summary>
    public static async Task ForEachStackAsync(
        CommandSession session,
        ParseResult parsed,
        Func<DockerClient, ContainerObserver, GenAIStack, IReadOnlyList<ServiceDefinition>, Task> work,
        CancellationToken stop)
    {
        using var engine = new LazyEngine(parsed);
        await session.ForEachStackAsync(
            parsed.GetValue(CommandSession.CommonOptions.Path)!,
            recover: false,
            async stack =>
            {
                var services = stack.SelectServices(parsed.GetValue(CommandSession.CommonOptions.Service), parsed.GetValue(Name));
                if (services.Count == 0)
                {
                    session.Warn($"No container of {stack.Root} is meant. There are: {string.Join(", ", stack.Definition.Services.Select(service => service.Container))}.");
                    return;
                }

                await work(engine.Client, new(engine.Client, session.Redactor, (of, service) => BearerToken.Of(of, service, session.Redactor)), stack, services);
            },
            stop);
    }
}
