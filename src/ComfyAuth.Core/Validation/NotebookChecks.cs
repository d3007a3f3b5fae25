using System.Globalization;
using ComfyAuth.Files;
using ComfyAuth.Notebooks;

namespace ComfyAuth.Validation;

/// <summary>Checks of every notebook below the folder of the content. All of them look at what one pass over the files found.</summary>
internal static class NotebookChecks
{
    private const int MostEvidence = 100;

    /// <summary>How many bytes are rewritten at once; a transaction holds them all.</summary>
    private const long MostRewritten = 256L << 20;

    private static readonly TimeSpan LongestScan = TimeSpan.FromMinutes(15);
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    private static readonly SharedFact<NotebookScan> ScanFact = new((context, stop) =>
        NotebookScanner.ScanAsync(context.Stack.Root, context.Stack.Definition.Content!.Folder, context.Redactor, stop));

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            "notebook.encoding",
            "Notebooks are UTF-8",
            "A notebook is UTF-8 without a byte order mark: with one, or in UTF-16, programs that read it as JSON give up at its first byte.",
            "Save the notebook as UTF-8 without a byte order mark; in Windows PowerShell 5.1, 'Set-Content -Encoding utf8' writes one.",
            (context, stop) => LookAsync(context, "begin with a byte order mark or are not UTF-8", "is UTF-8 without a byte order mark", NotebookFaultKind.Encoding, null, stop))
        {
            Timeout = LongestScan,
            PlanFix = (context, _, stop) => Task.FromResult(PlanEncoding(context, stop)),
        },
        new(
            "notebook.json",
            "Notebooks are JSON",
            "A notebook is one JSON object (RFC 8259); one that is cut short or was merged by hand cannot be opened.",
            "Open the file in an editor at the line that is named, or put it back from version control.",
            (context, stop) => LookAsync(context, "are not JSON", "is JSON", NotebookFaultKind.Json, null, stop))
        {
            Timeout = LongestScan,
            Weight = 2,
        },
        new(
            "notebook.format",
            "Notebooks are of format 4",
            "A notebook is of format 4 of nbformat: 'cells', 'metadata', 'nbformat' and 'nbformat_minor', and in each cell its type, metadata and source, in one of code also outputs and execution count.",
            "Open and save the notebook in Jupyter, or run 'jupyter nbconvert --to notebook --inplace' on it.",
            (context, stop) => LookAsync(context, "are not built as format 4 asks for", "is of format 4", NotebookFaultKind.Format, NotebookFaultKind.FormatNote, stop))
        {
            Timeout = LongestScan,
        },
        new(
            "notebook.secrets",
            "Notebooks hold no secrets",
            "A notebook keeps what its cells printed and goes into version control with it. Neither source nor output may hold a token, key or password: one that this stack uses, or one that looks like one.",
            "Clear the outputs, read the secret from the .env file in the source, and change the secret: whoever had the file has it.",
            (context, stop) => LookAsync(context, "hold secrets", "holds a secret that can be recognised", NotebookFaultKind.Secret, NotebookFaultKind.SecretLook, stop))
        {
            Timeout = LongestScan,
            Weight = 3,
        },
    ];

    private static async Task<CheckOutcome> LookAsync(CheckContext context, string bad, string good, NotebookFaultKind kind, NotebookFaultKind? lesser, CancellationToken stop)
    {
        var (content, otherwise) = ContentChecks.Of(context.Stack);
        if (content is null)
            return otherwise!;
        if (!Directory.Exists(context.Stack.PathOf(content.Folder)))
        {
            Absence.Ensure(context.Stack.PathOf(content.Folder));
            return CheckOutcome.Failed($"There is no folder '{content.Folder}'.");
        }

        var scan = await context.FindAsync(ScanFact, stop).ConfigureAwait(false);
        var failed = scan.AffectedBy(kind);
        var suspected = lesser is { } suspicion ? scan.AffectedBy(suspicion) : 0;
        var unread = scan.AffectedBy(NotebookFaultKind.Unreadable);
        var evidence = Evidence([.. scan.Faults.Where(fault => fault.Kind == kind || fault.Kind == lesser || fault.Kind == NotebookFaultKind.Unreadable)]);
        if (failed > 0)
            return CheckOutcome.Failed(Count(failed, scan.Count, bad), evidence) with { CanFix = kind == NotebookFaultKind.Encoding && PlanEncoding(context, stop).Changes.Count > 0 };
        if (unread > 0)
            return CheckOutcome.Error(Count(unread, scan.Count, "could not be read"), evidence) with { Remedy = "Check their permissions." };
        if (scan.Count == 0)
            return CheckOutcome.Skipped($"There is no notebook in '{content.Folder}'.");
        if (suspected > 0)
            return CheckOutcome.Warning(Count(suspected, scan.Count, kind == NotebookFaultKind.Secret ? "may hold secrets" : "will be refused by later programs"), evidence);
        return CheckOutcome.Passed(kind == NotebookFaultKind.Secret
            ? string.Create(CultureInfo.InvariantCulture, $"None of {scan.Count:N0} notebooks {good}.")
            : string.Create(CultureInfo.InvariantCulture, $"Each of {scan.Count:N0} notebooks {good}."));
    }

    private static string Count(int affected, long all, string what) => string.Create(CultureInfo.InvariantCulture, $"{affected:N0} of {all:N0} notebooks {what}.");

    private static IReadOnlyList<string> Evidence(List<NotebookFault> faults) => faults.Count <= MostEvidence
        ? [.. faults.Select(fault => fault.ToString())]
        : [.. faults.Take(MostEvidence).Select(fault => fault.ToString()), string.Create(CultureInfo.InvariantCulture, $"and {faults.Count - MostEvidence:N0} or more in others")];

    /// <summary>Writes notebooks again without their byte order mark; what is left for the sake of memory is done in the next run.</summary>
    private static CheckFix PlanEncoding(CheckContext context, CancellationToken stop)
    {
        if (ContentChecks.Of(context.Stack).Content is not { } content || !Directory.Exists(context.Stack.PathOf(content.Folder)))
            return CheckFix.Nothing;

        var root = context.Stack.Root;
        var changes = new List<PlannedFileChange>();
        var length = 0L;
        foreach (var (name, fault) in NotebookScanner.Find(root, content.Folder))
        {
            stop.ThrowIfCancellationRequested();
            if (fault is not null || LengthWithMark(Path.Combine(root, name)) is not { } size || length + size > MostRewritten)
                continue;
            length += size;
            changes.Add(PlannedFileChange.RemoveBeginning(root, name, "Remove the byte order mark", ByteOrderMark));
        }

        return CheckFix.OfFiles(root, changes, context.Keep);
    }

    private static long? LengthWithMark(string path)
    {
        try
        {
            using var file = RegularFile.OpenRead(path);
            var beginning = new byte[ByteOrderMark.Length];
            return file.ReadAtLeast(beginning, beginning.Length, throwOnEndOfStream: false) == beginning.Length && beginning.AsSpan().SequenceEqual(ByteOrderMark) ? file.Length : null;
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            return null;
        }
    }
}
