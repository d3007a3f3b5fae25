using System.Globalization;
using System.Text.RegularExpressions;

namespace ComfyAuth.Containers;

/// <summary>Rules about containers that are on their way.</summary>
internal static partial class InstallRules
{
    private const int LinesOfTheEnd = 10;
    private const double DownloadPerSecond = 100 * 1024;

    public static IReadOnlyList<DiagnosisRule> All { get; } =
    [
        new("installing", ContainerCondition.Installing,
            "The service does not answer yet, and in the container programs are installed or files are downloaded.",
            "Wait: the first start of a container that installs PyTorch takes 5 to 15 minutes, on a slow line more. An image that has everything installed starts in less than a minute.",
            Installing),
        new("starting", ContainerCondition.Starting,
            "The service does not answer yet, and has not had the time to: ComfyUI takes less than a minute, with many custom nodes a few.",
            "Wait.",
            Starting),
    ];

    /// <summary>What happened between the two samples, as evidence.</summary>
    public static IEnumerable<string> Activity(DiagnosisContext context)
    {
        if (context.Snapshot.Usage is not { } usage)
            yield break;
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"within {usage.Period.TotalSeconds:0.0} s: processor {usage.Cpu ?? 0:0} %, received {ByteSize.Format(usage.NetworkReceived)}, written {ByteSize.Format(usage.BlockWritten)}");
    }

    private static DiagnosisFinding? Installing(DiagnosisContext context)
    {
        if (!context.IsRunning || context.IsLive || context.IsAnsweredByAnother)
            return null;
        var check = string.Join(' ', context.Container?.Healthcheck?.Test ?? []);
        var processes = context.Snapshot.Processes.Where(process => !IsOf(check, process.Command)).Select(process => (Process: process, Install: InstallProcess.Of(context.Clean(process.Command))!)).Where(found => found.Install is not null).ToList();
        var process = processes.FirstOrDefault(found => found.Install.Package is not null) is { Install: not null } named ? named : processes.FirstOrDefault();
        var sign = LastSign(context, process.Install is not null);
        var isDownloading = context.Snapshot.Usage is { Period.TotalSeconds: > 0 } usage && usage.NetworkReceived / usage.Period.TotalSeconds >= DownloadPerSecond;
        if (process.Install is null && sign is null && !isDownloading)
            return null;

        // A line names what is at work now; the command line, what was asked for.
        var line = context.Signs(LogTopic.Install).LastOrDefault(found => found["package"] is not null && found.Index >= context.Log.Count - LinesOfTheEnd && (sign is not null || process.Install is not null));
        var package = line is null ? process.Install?.Package : Package(line);
        var what = line?.Signature.Meaning ?? sign?.Signature.Meaning ?? (process.Install is { } tool ? $"{tool.Tool} is at work" : "it downloads something");
        var elapsed = processes.Max(found => found.Process.Elapsed) ?? context.Uptime;
        var received = context.BytesReceived is { } bytes and > 0 ? $"; {ByteSize.Format(bytes)} received since the start" : "";
        var moving = context.IsMoving switch { true => "; it is moving", false => $"; nothing has moved for {Silence(context)}", null => "" };
        return new($"It installs: {what}{(package is null ? "" : $", {package}")}. It has been at it for {Duration.Format(elapsed ?? TimeSpan.Zero)}{received}{moving}.{context.FailureSentence}",
            process.Install is not null ? DiagnosisConfidence.High : sign is not null ? DiagnosisConfidence.Medium : DiagnosisConfidence.Low,
            [.. processes.Take(3).Select(found => $"process: {found.Process.Command}"), .. Activity(context), .. context.LogEnd(4)])
        {
            Package = package,
            Remedy = context.IsMoving == false ? "Look at its network and its disk; if it stays like this, restart the container." : null,
        };
    }

    /// <summary>Whether a process is a run of the healthcheck: it asks where that asks.</summary>
    private static bool IsOf(string healthcheck, string command) =>
        command.Split(' ').Any(word => word.Contains("://", StringComparison.Ordinal) && healthcheck.Contains(word, StringComparison.Ordinal));

    /// <summary>The last line about an installation, unless it is over.</summary>
    private static LogSign? LastSign(DiagnosisContext context, bool hasProcess)
    {
        var sign = context.Signs(LogTopic.Install).LastOrDefault(sign => sign.Index >= context.Log.Count - LinesOfTheEnd);
        if (sign is null || context.Signs(LogTopic.Boot).LastOrDefault()?.Index > sign.Index)
            return null;

        // Between two commands of an installation no process of it runs, and one that went under without a word leaves its last line.
        var isKnownToHaveEnded = !hasProcess && context.Snapshot.Processes.Count > 0
            && (context.Failure?.Index > sign.Index || context.Snapshot.Processes.Any(process => RunsComfyUI().IsMatch(process.Command)));
        return isKnownToHaveEnded ? null : sign;
    }

    private static string Package(LogSign line)
    {
        var text = line["package"]!.Trim();
        var size = line["size"] is { } bytes ? $" ({bytes})" : "";
        if (text.Contains(", ", StringComparison.Ordinal))
            return InstallProcess.List(text.Split(", ", StringSplitOptions.RemoveEmptyEntries));

        // torch-2.8.0-cp311-cp311-manylinux_2_28_x86_64.whl
        var name = InstallProcess.NameIn(text);
        if (name.Contains(".whl", StringComparison.Ordinal) && name.Split('-') is [var project, var version, ..])
            name = $"{project}-{version}";
        return name + size;
    }

    private static string Silence(DiagnosisContext context) =>
        Duration.Format(context.LastSignOfLife is { } last ? context.Since(last) : context.Uptime ?? TimeSpan.Zero);

    private static DiagnosisFinding? Starting(DiagnosisContext context)
    {
        var isSilent = context is { IsRunning: true, Readings.IsLive: false };
        var isBooting = context is { IsLive: true, Readings: { IsReady: not true } } && (context.Readings.TokenStatus ?? context.Readings.Status) >= 500;
        if (!isSilent && !isBooting)
            return null;

        // Said to listen, and not answering: that is no start any more.
        if (isSilent && context.Listening is { Line.Timestamp: var since } && (since is not { } listens || context.Since(listens) > TimeSpan.FromSeconds(10)))
            return null;
        if (!context.IsYoung && !(isSilent && context.IsBusyStarting))
            return null;
        return new($"It started {Duration.Format(context.Uptime ?? TimeSpan.Zero)} ago and {(isBooting ? $"answers {context.Readings.Answer}" : "does not answer yet")}{(context.IsYoung ? "" : ", which is long; but it is at work")}.{context.FailureSentence}",
            context.IsYoung ? DiagnosisConfidence.Medium : DiagnosisConfidence.Low,
            [$"asked at {context.Service.Url}: {context.Readings.Answer}", .. Activity(context), .. context.LogEnd(4)]);
    }

    // The shell that will start it names it too.
    [GeneratedRegex(@"\A\S{0,256}python[0-9.]{0,8}\s([^\s]{1,256}\s){0,8}\S{0,256}main\.py(\s|\z)", RegexOptions.CultureInvariant)]
    private static partial Regex RunsComfyUI();
}
