using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

/// <summary>The report of a stack as stacks are: much is fine, some is not, and some is not known.</summary>
internal static class SampleReport
{
    private static readonly string[] Services = ["comfyui-qwen", "flux-1-dev", "sd35", "orchestrator"];

    public static ValidationReport Of() => (Sample.Report([.. Results()]) with { Commit = "1fd5a0b7c2e4906b54d1", Branch = "main", HasUncommittedChanges = true }).ComparedWith(Sample.Report([.. Results().Select(Before)]));

    private static CheckResult Before(CheckResult result) => result.Id switch
    {
        "auth.api.protected" or "container.health" => result with { Status = CheckStatus.Passed },
        "token.agrees" => result with { Status = CheckStatus.Failed },
        "env.required" => result with { Status = CheckStatus.Failed },
        "model.present" => result with { Status = CheckStatus.Passed },
        _ => result,
    };

    private static IEnumerable<CheckResult> Results()
    {
        yield return Check("engine.reachable", "Docker engine answers", CheckStatus.Passed, "Engine 28.3.2 answers at unix:///var/run/docker.sock.") with { Weight = 3 };
        yield return Check("engine.resources", "Enough memory and disk for the stack", CheckStatus.Passed, "64 GiB of memory, 412 GiB free on the disk of the engine.");
        foreach (var service in Services)
        {
            yield return Check("compose.valid", "Compose file can be used", CheckStatus.Passed, "docker-compose.yml is read by Compose v2.", service);
            yield return Check("container.running", "Container runs", service == "flux-1-dev" ? CheckStatus.Failed : CheckStatus.Passed, service == "flux-1-dev" ? "The container does not run: it ended with exit code 137 and was killed for its use of memory." : "Up for 15 minutes.", service) with
            {
                Weight = 2,
                Evidence = service == "flux-1-dev" ? ["state: exited, exit code 137, OOMKilled: true", "memory limit: 8 GiB", "last lines of its log:", "  Loading flux1-dev.safetensors", "  Killed"] : [],
                Remedy = service == "flux-1-dev" ? "Give the container more memory (deploy.resources.limits.memory), or load the FP8 model." : "",
                Guidance = service == "flux-1-dev" ? ["docs/memory.md:12 Out of memory (4.1)"] : [],
            };
        }

        yield return Check("container.health", "Healthcheck passes", CheckStatus.Failed, "The service answers, but its healthcheck cannot pass: curl -f gets 401 without a token and exits with 22.", "comfyui-qwen") with
        {
            Evidence = ["healthcheck: curl -f http://localhost:8188/", "failures in a row: 26; 5 make it unhealthy", "the service itself answers: 401 without a token, 200 with ours"],
            Remedy = "Let the healthcheck ask /login, as in: curl -f http://localhost:8188/login, or accept 401 as an answer, and recreate the container.",
        };
        yield return Check("compose.lint", "Compose file follows the rules", CheckStatus.Warning, "2 rules are not followed: image without a tag, restart policy missing.", "comfyui-qwen") with
        {
            Evidence = ["docker-compose.yml:4 image-tag: python:latest may be another image tomorrow", "docker-compose.yml:9 restart: the container stays down after a restart of the machine"],
            Remedy = "Name a version of the image, and set restart: unless-stopped.",
        };
        yield return Check("service.ready", "Service accepts our token", CheckStatus.Passed, "200 with our token.", "comfyui-qwen") with { Duration = TimeSpan.FromMilliseconds(214) };
        yield return Check("service.ready", "Service answers", CheckStatus.Skipped, "It builds on container.running, which failed: The container does not run.", "flux-1-dev");
        yield return Check("service.ready", "Service answers", CheckStatus.Passed, "200 at /health.", "sd35");
        yield return Check("auth.api.protected", "API refuses callers without a token", CheckStatus.Passed, "401 without a token, at /prompt, /queue and /system_stats.", "comfyui-qwen") with { Weight = 3 };
        yield return Check("auth.api.token", "API takes our token", CheckStatus.Passed, "200 with the token of the source of truth.", "comfyui-qwen") with { Weight = 2 };
        yield return Check("auth.web.login", "Web login takes our password", CheckStatus.Error, "It was not finished within 30s.", "comfyui-qwen") with { Remedy = "Look at what is slow there, or leave the check out with -Exclude.", Duration = TimeSpan.FromSeconds(30) };
        yield return Check("token.agrees", "Every place of the token agrees", CheckStatus.Passed, "9 places hold bcrypt:0fa53373.", "comfyui-qwen") with { Fixed = true };
        yield return Check("env.required", "Required variables are set", CheckStatus.Passed, "7 of 7 are set.", "comfyui-qwen");
        yield return Check("hardening.port", "Port is bound to this machine only", CheckStatus.Warning, "8188 is bound to 0.0.0.0: every machine that reaches this one reaches the login.", "comfyui-qwen") with { Remedy = "Bind it to 127.0.0.1 and put a reverse proxy with TLS in front.", CanFix = true };
        yield return Check("secrets.committed", "No secret is in the repository", CheckStatus.Passed, "412 tracked files hold none of the 6 known secrets.");
        yield return Check("model.present", "Model files are there", CheckStatus.Skipped, "There is no volume to look into.", "comfyui-qwen");
        yield return Check("content.documents", "Documents are there", CheckStatus.Passed, "5 of 5 are there.");
        yield return Check("notebook.valid", "Notebooks can be opened", CheckStatus.Failed, "1 of 9 cannot be opened: it begins with a byte order mark.") with
        {
            Evidence = ["MyIA.AI.Notebooks/GenAI/01-Images-Foundation/01-2-GPT-5-Image-Generation.ipynb: EF BB BF"],
            Remedy = "Save the notebook as UTF-8 without a byte order mark.",
            CanFix = true,
        };
    }

    private static CheckResult Check(string id, string title, CheckStatus status, string message, string? service = null) =>
        Sample.Result(id, status, service) with { Title = title, Message = message, Remedy = "" };
}
