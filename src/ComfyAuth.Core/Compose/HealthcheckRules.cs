using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Compose;

/// <summary>Rules about healthchecks.</summary>
internal static partial class HealthcheckRules
{
    private static readonly SecretRedactor Redactor = new();

    public static IReadOnlyList<ComposeRule> All { get; } =
    [
        new("healthcheck-cannot-pass", FindingSeverity.Error,
            "Behind the login a request without a token gets 401, so the container stays unhealthy for ever although the service is fine.",
            "Ask /login instead, for example: curl -f http://localhost:8188/login, or accept 401 as an answer.",
            CannotPass),
        new("healthcheck-token", FindingSeverity.Error,
            "Everyone who may inspect the container reads the command of its healthcheck.",
            "Ask /login, which needs no token, or read the token from a mounted file inside the command.",
            HoldsToken),
        new("healthcheck-gives-up-early", FindingSeverity.Warning,
            "The container is called unhealthy while its first start is still installing, which takes 5 to 15 minutes.",
            "Raise start_period to 15m or more, or build an image that has everything installed.",
            GivesUpEarly),
    ];

    private static IEnumerable<ComposeFault> CannotPass(ComposeLintContext context, ComposeService service)
    {
        if (context.AuthOf(service) == AuthKind.ComfyUILogin
            && service.Healthcheck is { Kind: HealthcheckKind.Command or HealthcheckKind.Shell } healthcheck
            && HealthcheckVerdict.WhyItFails(healthcheck.Test) is { } why)
        {
            yield return new ComposeFault(healthcheck.Place, $"The healthcheck cannot pass: {why}.");
        }
    }

    private static IEnumerable<ComposeFault> HoldsToken(ComposeLintContext context, ComposeService service)
    {
        if (service.Healthcheck is not { } healthcheck)
            yield break;

        // What the container's own shell will insert is not in the command.
        var command = Insertion().Replace(string.Join(' ', healthcheck.Test), SecretRedactor.Mark);
        var variable = service.Source?.Map("healthcheck")?.Scalars("test").SelectMany(word => word.Variables).FirstOrDefault(SecretRedactor.IsSecretName);
        if (variable is not null)
            yield return new ComposeFault(healthcheck.Place, $"Compose writes the value of {variable} into the healthcheck command.");
        else if (Redactor.Redact(command) != command)
            yield return new ComposeFault(healthcheck.Place, "The healthcheck command holds a secret.");
    }

    private static IEnumerable<ComposeFault> GivesUpEarly(ComposeLintContext context, ComposeService service)
    {
        if (service.Healthcheck?.PredictedUnhealthyAfter() is { } predicted && predicted < ComposeLint.ExpectedInstall.Longest && InstallsAtStart(service, context.AuthOf(service)))
        {
            yield return new ComposeFault(service.Healthcheck.Place, string.Create(
                CultureInfo.InvariantCulture,
                $"A container that does not answer is unhealthy after about {predicted.TotalSeconds:0} s ({service.Healthcheck.StartPeriod.TotalSeconds:0} s + {service.Healthcheck.Retries} x {service.Healthcheck.Interval.TotalSeconds:0} s)."));
        }
    }

    private static bool InstallsAtStart(ComposeService service, AuthKind auth)
    {
        var words = (service.Entrypoint ?? []).Concat(service.Command ?? []).ToList();
        if (Install().IsMatch(string.Join(' ', words)))
            return true;

        var paths = words.SelectMany(word => word.Split(' ')).ToHashSet();
        if (service.Mounts.Any(mount => mount is { Kind: ComposeMountKind.Bind, Source: { } script } && paths.Contains(mount.Target) && Install().IsMatch(Text(script))))
            return true;

        // A bare language image has no ComfyUI in it.
        return auth == AuthKind.ComfyUILogin && words.Count > 0 && !service.HasBuild && BareImage().IsMatch(service.Image ?? "");
    }

    private static string Text(string path)
    {
        try
        {
            return Encoding.UTF8.GetString(BoundedFile.ReadBytes(path));
        }
        catch (ComfyAuthException)
        {
            // Whether it can be mounted at all is another rule's question.
            return "";
        }
    }

    [GeneratedRegex(@"\$\([^)]{0,1024}\)|\$\{[^}]{0,256}\}|\$[A-Za-z_][A-Za-z0-9_]*|`[^`]{0,1024}`", RegexOptions.CultureInvariant)]
    private static partial Regex Insertion();

    [GeneratedRegex(@"\b(pip3?|uv|conda|mamba|apt|apt-get|apk|npm|comfy)\s([^\r\n;&|]{0,80}\s)?(install|add|sync)\b|\bgit\s+clone\b", RegexOptions.CultureInvariant)]
    private static partial Regex Install();

    [GeneratedRegex(@"\A([^\s]{1,200}/)?(python|ubuntu|debian|cuda|pytorch|miniconda3?|micromamba|alpine)([:@]|\z)", RegexOptions.CultureInvariant)]
    private static partial Regex BareImage();
}
