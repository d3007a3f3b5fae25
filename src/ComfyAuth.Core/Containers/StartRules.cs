using System.Globalization;
using ComfyAuth.Docker;

namespace ComfyAuth.Containers;

/// <summary>Rules about what keeps a container from running: it is not there or frozen, or a mount or a port is not as it must be.</summary>
internal static class StartRules
{
    public static IReadOnlyList<DiagnosisRule> All { get; } =
    [
        new("absent", ContainerCondition.Absent,
            "The engine has no container of this name.",
            "Create it with 'docker compose up -d' where its compose file is.",
            Absent),
        new("paused", ContainerCondition.Paused,
            "Somebody froze the container with 'docker pause'.",
            "Let it go on with 'docker unpause'.",
            Paused),
        new("mount-missing", ContainerCondition.MountMissing,
            "The source of a bind mount is not there, so the engine does not start the container.",
            "Put the file or the folder where the mount expects it, and start the container.",
            MountMissing),
        new("mount-is-directory", ContainerCondition.MountIsDirectory,
            "A directory stands where the program looks for a file. The engine makes an empty one where the source of a bind mount is missing.",
            "Stop the container, remove the empty directory on the engine's machine, put the file there, and recreate the container.",
            MountIsDirectory),
        new("port-conflict", ContainerCondition.PortConflict,
            "The engine or the program finds the port taken.",
            "Stop what has the port, or give one of the two another port.",
            PortConflict),
        new("port-of-another", ContainerCondition.PortConflict,
            "Another container or program has the port that the service is asked at, or another container the one that this one wants when it starts.",
            "Give one of the two containers another host port, or correct the service's url in the stack file.",
            PortOfAnother),
    ];

    private static DiagnosisFinding? Absent(DiagnosisContext context)
    {
        if (context.Container is not null)
            return null;

        var evidence = new List<string> { $"the engine knows no container '{context.Service.Container}'" };
        if (context.Snapshot.Others.FirstOrDefault(other => other.Labels.GetValueOrDefault("com.docker.compose.service") == context.Service.Name) is { } namesake)
            evidence.Add($"the container '{namesake.Name}' is of a compose service '{context.Service.Name}': {namesake.Status}");
        if (context.Snapshot.Readings.IsLive == true)
            evidence.Add($"something else answers at {context.Service.Url}: {context.Snapshot.Readings.Answer}");
        return new($"There is no container '{context.Service.Container}'.", DiagnosisConfidence.High, evidence)
        {
            Remedy = context.Service.ComposeFile is { } file ? $"Create it: docker compose -f {file} up -d" : null,
        };
    }

    private static DiagnosisFinding? Paused(DiagnosisContext context) =>
        context.Container is { State: ContainerState.Paused } container
            ? new("It is frozen: somebody paused it.", DiagnosisConfidence.High, ["engine: paused"]) { Remedy = $"Let it go on: docker unpause {container.Name}" }
            : null;

    private static DiagnosisFinding? MountMissing(DiagnosisContext context)
    {
        if (context.Container is not { } container || context.IsRunning)
            return null;
        var sign = context.Signs(LogTopic.MountMissing).FirstOrDefault(sign => sign.Index < 0);
        var mount = sign is null
            ? container.Mounts.FirstOrDefault(mount => mount.Type == "bind" && context.Snapshot.MissingMounts.Contains(mount.Destination))
            : container.Mounts.FirstOrDefault(mount => mount.Source.Length > 0 && mount.Source == sign["source"]);
        if ((sign?["source"] ?? mount?.Source) is not { } source)
            return null;

        var place = (sign?["target"] ?? mount?.Destination) is { } target ? $", mounted at '{target}'," : "";
        var meaning = sign is null ? "is not there" : sign.Signature.Meaning switch
        {
            "the source is not there" => "is not there",
            var other => $"cannot be used: {other}",
        };
        return new($"'{source}'{place} {meaning}, so the engine does not start the container.", sign is null ? DiagnosisConfidence.Medium : DiagnosisConfidence.High,
            sign is null ? [$"nothing is at '{mount!.Destination}' in the container"] : [DiagnosisContext.Quote(sign)])
        {
            Remedy = $"Put what is meant at '{source}' on the engine's machine, and start the container: docker start {container.Name}",
        };
    }

    private static DiagnosisFinding? MountIsDirectory(DiagnosisContext context)
    {
        if (context.Container is not { } container)
            return null;
        var sign = context.Signs(LogTopic.Directory).LastOrDefault(sign => sign.Index < 0 || container.Mounts.Any(mount => mount.Destination == sign["target"]));
        var target = (context.Snapshot.MountedDirectories is [var directory, ..] ? directory : null) ?? sign?["target"];
        if (target is null)
            return null;

        var source = container.Mounts.FirstOrDefault(mount => mount.Destination == target)?.Source ?? sign?["source"];
        var evidence = new List<string>();
        if (context.Snapshot.MountedDirectories.Count > 0)
            evidence.Add($"'{target}' is a directory in the container");
        if (sign is not null)
            evidence.Add(DiagnosisContext.Quote(sign));
        var what = sign is { Index: < 0 } && context.Snapshot.MountedDirectories.Count == 0
            ? $"'{source}' is a directory and '{target}' a file, or the other way round."
            : $"A directory stands where the file '{target}' is meant{(source is null ? "" : $": '{source}' is one")}.";
        return new($"{what} The engine makes a directory where the source of a bind mount is missing.",
            context.Snapshot.MountedDirectories.Count > 0 ? DiagnosisConfidence.High : DiagnosisConfidence.Medium, evidence)
        {
            Remedy = source is null ? null : $"Stop the container, remove the directory '{source}' if it is empty, put the file there, and recreate the container: docker compose up -d --force-recreate",
            IsAside = context.IsLive,
        };
    }

    private static DiagnosisFinding? PortConflict(DiagnosisContext context)
    {
        // A server that could not bind ends, or answers nothing; one that listens all the same has another port.
        if (context.Container is not { } container || context.IsLive || context.Signs(LogTopic.Port).FirstOrDefault() is not { } sign || context.Listening?.Index > sign.Index)
            return null;
        int? port = int.TryParse(sign["port"], CultureInfo.InvariantCulture, out var number) ? number : container.RequestedPorts.FirstOrDefault(asked => asked.PublicPort is not null)?.PublicPort;
        var isEngine = sign.Index < 0;
        var owner = port is { } taken && (isEngine || container.NetworkMode == "host") ? context.OwnerOf(taken) : null;

        var what = port is null ? "A port that it wants" : string.Create(CultureInfo.InvariantCulture, $"Port {port}");
        var who = owner is not null ? $"the container '{owner.Name}' has it"
            : isEngine ? "no container of this engine has it, so another program of the machine does"
            : container.NetworkMode == "host" ? "another program of the machine has it, or a second server in the same container"
            : "a second server in the same container has it";
        var evidence = new List<string> { DiagnosisContext.Quote(sign) };
        if (owner is not null)
            evidence.Add($"'{owner.Name}': {string.Join(", ", owner.Ports.Select(PortText.Of))}");
        return new($"{what} is taken: {who}.", isEngine ? DiagnosisConfidence.High : DiagnosisConfidence.Medium, evidence)
        {
            Remedy = owner is not null ? $"Stop it (docker stop {owner.Name}), or give one of the two another host port, and start the container again." : null,
        };
    }

    private static DiagnosisFinding? PortOfAnother(DiagnosisContext context)
    {
        if (context.Container is not { } container)
            return null;
        if (context is { IsAnsweredByAnother: true, AnsweredBy: null })
        {
            return new($"{context.Service.Url} is an address of another program of this machine, not of this container.", DiagnosisConfidence.Medium,
                [$"'{container.Name}': {string.Join(", ", container.Ports.Select(PortText.Of))}", $"{context.Service.Url}: {context.Snapshot.Readings.Answer}"])
            {
                Remedy = "Correct the service's url in the stack file to a port of the container, or stop the program and give the container its port. It gets no token.",
            };
        }

        if (context.AnsweredBy is { } answering)
        {
            return new($"{context.Service.Url} is an address of the container '{answering.Name}', not of this one.", DiagnosisConfidence.Medium,
                [$"'{answering.Name}': {string.Join(", ", answering.Ports.Select(PortText.Of))}", $"'{container.Name}': {string.Join(", ", container.Ports.Select(PortText.Of))}"]);
        }

        if (container.State is not (ContainerState.Created or ContainerState.Exited))
            return null;
        foreach (var port in container.RequestedPorts)
        {
            if (port.PublicPort is { } wanted && context.OwnerOf(wanted) is { } owner)
            {
                return new(string.Create(CultureInfo.InvariantCulture, $"Port {wanted}, which it wants, is the container '{owner.Name}'s."), DiagnosisConfidence.Medium,
                    [$"'{owner.Name}': {string.Join(", ", owner.Ports.Select(PortText.Of))}"])
                {
                    IsAside = true,
                };
            }
        }

        return null;
    }
}
