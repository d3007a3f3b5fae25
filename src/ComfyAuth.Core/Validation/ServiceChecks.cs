using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>Checks of whether services can be reached, and work.</summary>
internal static class ServiceChecks
{
    /// <summary>The ground of whatever asks a service.</summary>
    public const string Live = "service.live";

    /// <summary>The ground of whatever asks a service with our token.</summary>
    public const string Ready = "service.ready";

    private static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(1);

    // An engine that hangs says nothing of a service that does not.
    private static readonly TimeSpan EnginePatience = TimeSpan.FromSeconds(25);

    /// <summary>What a service answered: in the look at its container, or by itself where there is no engine to look at.</summary>
    private static readonly SharedServiceFact<(ServiceReadings Readings, ContainerSnapshot? Snapshot)> ReadingsFact = new(async (context, service, stop) =>
    {
        try
        {
            var snapshot = await context.SnapshotAsync(service, stop).WaitAsync(EnginePatience, stop).ConfigureAwait(false);
            return (snapshot.Readings, snapshot);
        }
        catch (Exception error) when (error is ComfyAuthException or TimeoutException)
        {
            var token = BearerToken.Of(context.Stack, service, context.Redactor);
            return (await new ServiceProber().ProbeAsync(service, token, stop).ConfigureAwait(false), null);
        }
    });

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            Live,
            "Service answers",
            "The service must answer with HTTP at the address of the stack; a refusal for want of a token is an answer. Who answers must be the service's own container.",
            "Read the container's log, see that its port is published, and correct 'url' in comfyauth.yml if it is another.",
            ContainerChecks.Any,
            async (context, service, stop) =>
            {
                var (readings, snapshot) = await context.FindAsync(ReadingsFact, service, stop).ConfigureAwait(false);
                return IsLive(service, readings, snapshot);
            })
        {
            Timeout = LongestLook,
            Weight = 3,
        },
        new(
            Ready,
            "Service works for us",
            "The health path must answer 200, with our token where the service asks for one.",
            "Read the container's log. If the status is 404, correct 'health' in comfyauth.yml.",
            ContainerChecks.Any,
            async (context, service, stop) =>
            {
                var (readings, _) = await context.FindAsync(ReadingsFact, service, stop).ConfigureAwait(false);
                return IsReady(service, readings);
            })
        {
            DependsOn = [Live],
            Timeout = LongestLook,
            Weight = 3,
        },
    ];

    internal static CheckOutcome IsLive(ServiceDefinition service, ServiceReadings readings, ContainerSnapshot? snapshot)
    {
        var answer = $"{service.Url} {service.HealthPath}: {readings.Answer}";
        if (readings.IsLive is null)
            return CheckOutcome.Error($"Whether the service answers could not be found out: {readings.Answer}.", answer) with { Remedy = "Check the address and the way to it." };
        if (readings.IsLive == false)
            return CheckOutcome.Failed($"The service does not answer at {service.Url}: {readings.Answer}.", answer);
        if (snapshot is null)
            return CheckOutcome.Passed($"{service.Url} answers; whether it is the container's own answer is not known, because the engine cannot be asked.", answer);

        // Whoever has the address of a container that is down must not get its token, and does not make the service live.
        if (snapshot.Container is not { State: ContainerState.Running })
        {
            return CheckOutcome.Failed($"Something answers at {service.Url}, and it is not the service: its container '{service.Container}' does not run.", answer) with
            {
                Remedy = "Find out what has the port, stop it, and start the container; or correct 'container' or 'url' in comfyauth.yml.",
            };
        }

        if (!PortOwner.IsOfAnother(service.Url, snapshot.Container.Ports))
            return CheckOutcome.Passed($"The service answers at {service.Url}.", answer);
        return PortOwner.Of(service.Url.Port, snapshot.Container.Id, snapshot.Others) is { } other
            ? CheckOutcome.Failed($"The container '{other.Name}' answers at {service.Url}, not '{service.Container}'.", answer) with { Remedy = "Give one of the two another host port, or correct 'url' in comfyauth.yml." }
            : CheckOutcome.Failed($"Another program of this machine answers at {service.Url}, not the container '{service.Container}', which has other ports.", answer) with { Remedy = "Correct 'url' in comfyauth.yml to a port of the container, or stop the program and give the container its port." };
    }

    private static CheckOutcome IsReady(ServiceDefinition service, ServiceReadings readings)
    {
        var answer = $"{service.Url} {service.HealthPath}: {readings.Answer}";
        return readings switch
        {
            { IsReady: true } => CheckOutcome.Passed("The service works for us.", answer),
            { IsReady: false, TokenStatus: 401 or 403 } => CheckOutcome.Failed("The service refuses our token.", answer) with
            {
                Remedy = "If the PASSWORD file was changed after the container started, restart the container; else run Sync-ComfyToken, which tells which copy of the token differs.",
            },
            { IsReady: false } => CheckOutcome.Failed($"The service does not work: {readings.Answer}.", answer),
            { IsProtected: true } => CheckOutcome.Error("The service asks for a token, and none is known here.", answer) with { Remedy = "Run Sync-ComfyToken, so that there is a source of truth." },
            _ => CheckOutcome.Error($"Whether the service works could not be found out: {readings.Answer}.", answer),
        };
    }
}
