namespace ComfyAuth.DotEnv;

/// <summary>The programs that read <c>.env</c> files, each with a grammar of its own.</summary>
[Flags]
public enum DotEnvConsumer
{
    /// <summary>Nobody.</summary>
    None = 0,

    /// <summary><c>docker compose</c> (compose-go, v2 and later): quotes, escapes, and interpolation outside single quotes.</summary>
    ComposeV2 = 1,

    /// <summary><c>docker-compose</c> 1.29 (python-dotenv 0.17): quotes and escapes; <c>${NAME}</c> is expanded even in single quotes.</summary>
    ComposeV1 = 2,

    /// <summary><c>docker run --env-file</c>: everything after <c>=</c> is the value, quotes included.</summary>
    DockerRun = 4,

    /// <summary><c>set -a; source .env</c> in bash: the file is a program.</summary>
    Shell = 8,
}
