namespace ComfyAuth.Containers;

/// <summary>Tells, each time that a container was looked at, what all those of its stack are at that are waited for, in one line.</summary>
/// <param name="tell">Is given the line; called from one thread at a time.</param>
public sealed class ContainerProgress(Action<string> tell) : IProgress<ContainerDiagnosis>
{
    private readonly Dictionary<(string Stack, string Service), string> _lines = [];

    /// <summary>One container as a line, such as <c>comfyui-qwen: Installing torch, 780.5 MiB received, last sign of life 3s ago</c>.</summary>
    /// <param name="diagnosis">What was seen.</param>
    public static string Describe(ContainerDiagnosis diagnosis)
    {
        ArgumentNullException.ThrowIfNull(diagnosis);
        var line = $"{diagnosis.Service}: {diagnosis.Condition}";
        if (diagnosis.Package is { } package)
            line += $" {package}";
        if (diagnosis is { Condition: ContainerCondition.Installing, BytesReceived: { } received })
            line += $", {ByteSize.Format(received)} received";
        if (diagnosis is { Condition: not ContainerCondition.Ready, LastSignOfLife: { } last })
            line += $", last sign of life {Duration.Format(diagnosis.ObservedAt - last)} ago";
        return line;
    }

    /// <inheritdoc/>
    public void Report(ContainerDiagnosis value)
    {
        ArgumentNullException.ThrowIfNull(value);
        lock (_lines)
        {
            _lines[(value.Stack, value.Service)] = Describe(value);
            tell(string.Join("; ", _lines.Where(line => line.Key.Stack == value.Stack).Select(line => line.Value)));
        }
    }
}
