using System.Net;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>Checks of the APIs outside of the stack that its notebooks call. The one request is a GET of an endpoint that costs nothing.</summary>
internal static class ApiChecks
{
    private static readonly TimeSpan LongestLook = ApiProbe.Timeout * 2;

    private static readonly SharedFact<List<ApiKey>> Keys = new((context, _) => Task.FromResult(Read(context)));

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            "api.key.present",
            "Keys of the APIs are set",
            "The key of each API that the notebooks call must be in the .env file that they read, and be no placeholder.",
            "Put the key into the file, or take an API that you do not use out of the stack file: apis.",
            async (context, stop) => LookForKeys(await context.FindAsync(Keys, stop).ConfigureAwait(false), context))
        {
            Weight = 2,
        },
        new(
            "api.reachable",
            "APIs can be reached",
            "Each API that the stack has a key of must answer from here. It is asked without the key; an API without a key is not asked at all.",
            "Look at the network, the firewall and the proxy of this machine (HTTPS_PROXY), or at the status page of the API.",
            (context, stop) => AskAllAsync(context, withKey: false, stop))
        {
            Timeout = LongestLook,
        },
        new(
            "api.key.accepted",
            "Keys of the APIs are accepted",
            "Each API must accept its key. The key goes to the address that the stack names and nowhere else, and the question costs nothing.",
            "Make a new key where the API is managed, and put it into the .env file.",
            (context, stop) => AskAllAsync(context, withKey: true, stop))
        {
            Timeout = LongestLook,
            Weight = 2,
        },
    ];

    private static List<ApiKey> Read(CheckContext context)
    {
        var files = new StackFiles(context.Stack);
        var shared = ContentChecks.Of(context.Stack).Content?.Environment?.Path;
        var keys = context.Stack.Definition.Apis
            .Select(api => (Api: api, File: api.File ?? shared))
            .Where(item => item.File is not null)
            .Select(item => ApiKey.Of(item.Api, item.File!, files, context.Shell))
            .ToList();
        foreach (var key in keys)
            context.Redactor.Register(key.Value);
        return keys;
    }

    private static CheckOutcome LookForKeys(List<ApiKey> keys, CheckContext context)
    {
        if (keys.Count == 0)
            return NoApis(context);

        var missing = keys.Where(key => key.Value is null && !key.IsUnknown).ToList();
        var unknown = keys.Where(key => key.IsUnknown).ToList();
        string[] evidence = [.. missing.Concat(unknown).Select(key => $"{key.Api.Name}: {key.Reason}{(key.IsInShell ? "; it is set in the environment of this process, which other programs do not share" : "")}")];
        if (missing.Exists(key => !key.IsInShell))
            return CheckOutcome.Failed($"{string.Join(" and ", missing.Where(key => !key.IsInShell).Select(key => key.Api.Name))} {(missing.Count(key => !key.IsInShell) == 1 ? "has" : "have")} no key.", evidence);
        if (unknown.Count > 0)
            return CheckOutcome.Error("A file that holds keys cannot be read.", evidence) with { Remedy = "Mend the file." };
        return missing.Count > 0
            ? CheckOutcome.Warning("Keys are set in the environment of this process and not in the file.", evidence)
            : CheckOutcome.Passed(keys.Count == 1 ? "The API has its key." : $"Each of {keys.Count} APIs has its key.");
    }

    private static CheckOutcome NoApis(CheckContext context) =>
        context.Stack.Definition.Apis.Count == 0 ? CheckOutcome.Skipped("The stack names no APIs.") : ContentChecks.Of(context.Stack).Otherwise ?? CheckOutcome.Skipped("The stack names no file with keys.");

    private static async Task<CheckOutcome> AskAllAsync(CheckContext context, bool withKey, CancellationToken stop)
    {
        var all = await context.FindAsync(Keys, stop).ConfigureAwait(false);
        if (all.Count == 0)
            return NoApis(context);
        var keys = all.Where(key => key.Value is not null).ToList();
        if (keys.Count == 0)
            return CheckOutcome.Skipped("The stack has no key of any API, so that none is asked.");

        var answers = await Task.WhenAll(keys.Select(async key =>
        {
            var (status, what) = await ApiProbe.AskAsync(key.Api, withKey ? key.Value : null, stop).ConfigureAwait(false);
            var (ending, reason) = withKey ? JudgeKey(status) : JudgeReach(status);
            return (Status: ending, Line: $"{key.Api.Name} ({key.Api.Url.Host}) {what}{(reason.Length > 0 ? $": {reason}" : "")}");
        })).ConfigureAwait(false);

        string[] evidence = [.. answers.Select(answer => answer.Line)];
        if (answers.Any(answer => answer.Status == CheckStatus.Failed))
            return CheckOutcome.Failed("An API refuses its key.", evidence);
        if (answers.Any(answer => answer.Status == CheckStatus.Error))
            return CheckOutcome.Error(withKey ? "Whether a key is accepted cannot be told." : "An API cannot be reached from here.", evidence) with { Remedy = withKey ? "Try again later; api.reachable tells whether the API answers at all." : null };
        if (answers.Any(answer => answer.Status == CheckStatus.Warning))
            return CheckOutcome.Warning("A key is known, and may not do everything.", evidence);
        return CheckOutcome.Passed(withKey ? "Every key is accepted." : "Every API answers.", evidence);
    }

    private static (CheckStatus Status, string Reason) JudgeReach(int? status) => status switch
    {
        null => (CheckStatus.Error, ""),
        >= 200 and <= 299 or >= 400 and <= 499 => (CheckStatus.Passed, ""),
        >= 300 and <= 399 => (CheckStatus.Error, "it sends elsewhere, as a proxy or a hotel's network does; redirects are not followed"),
        _ => (CheckStatus.Error, "it has trouble itself"),
    };

    private static (CheckStatus Status, string Reason) JudgeKey(int? status) => status switch
    {
        null => (CheckStatus.Error, ""),
        >= 200 and <= 299 => (CheckStatus.Passed, ""),
        (int)HttpStatusCode.Unauthorized => (CheckStatus.Failed, "the key is not valid"),
        (int)HttpStatusCode.PaymentRequired => (CheckStatus.Warning, "the key is valid, and there is no credit left"),
        (int)HttpStatusCode.Forbidden => (CheckStatus.Warning, "the key, or this place, is not allowed to ask that"),
        (int)HttpStatusCode.TooManyRequests => (CheckStatus.Error, "too many questions were asked of late"),
        (int)HttpStatusCode.NotFound => (CheckStatus.Error, "there is no such path; mend it in the stack file"),
        >= 500 => (CheckStatus.Error, "it has trouble itself"),
        _ => (CheckStatus.Error, "that tells nothing of the key"),
    };
}
