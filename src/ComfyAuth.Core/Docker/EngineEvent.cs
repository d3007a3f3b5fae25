namespace ComfyAuth.Docker;

/// <summary>Something that happened in the engine.</summary>
/// <param name="Type">What it happened to: <c>container</c>, <c>image</c>, <c>network</c> and so on.</param>
/// <param name="Action">What happened: <c>start</c>, <c>die</c>, <c>oom</c>, <c>health_status</c>, <c>exec_create</c> and so on.</param>
/// <param name="Detail">What the engine adds to the action: <c>unhealthy</c>, or the command of an exec, which can hold secrets; else empty.</param>
/// <param name="Id">The identifier of what it happened to.</param>
/// <param name="Name">Its name; empty when it has none.</param>
/// <param name="Attributes">Labels, and facts like <c>exitCode</c>.</param>
/// <param name="OccurredAt">When.</param>
public sealed record EngineEvent(string Type, string Action, string Detail, string Id, string Name, IReadOnlyDictionary<string, string> Attributes, DateTimeOffset OccurredAt)
{
    internal static EngineEvent From(EventAnswer answer)
    {
        var action = answer.Action ?? "";
        var colon = action.IndexOf(": ", StringComparison.Ordinal);
        var attributes = answer.Actor?.Attributes ?? [];
        return new(
            answer.Type ?? "",
            colon < 0 ? action : action[..colon],
            colon < 0 ? "" : action[(colon + 2)..],
            answer.Actor?.ID ?? "",
            attributes.GetValueOrDefault("name", ""),
            attributes,
            EngineValues.UnixTime(answer.Time, answer.TimeNano));
    }
}
