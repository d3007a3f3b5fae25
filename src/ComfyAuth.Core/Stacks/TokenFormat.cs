namespace ComfyAuth.Stacks;

/// <summary>How a file carries a credential.</summary>
public enum TokenFormat
{
    /// <summary>A variable of a <c>.env</c> file.</summary>
    DotEnv,

    /// <summary>A file that holds the value alone, on its first line.</summary>
    TokenFile,

    /// <summary>ComfyUI-Login's own <c>login/PASSWORD</c>: the hash on line 1, the user name on line 2.</summary>
    PasswordFile,
}
