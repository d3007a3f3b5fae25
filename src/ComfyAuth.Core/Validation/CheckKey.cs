namespace ComfyAuth.Validation;

/// <summary>Which check of which service a result is of: the same in every run.</summary>
/// <param name="Id">The id of the check.</param>
/// <param name="Service">The service; null for the stack as a whole.</param>
internal readonly record struct CheckKey(string Id, string? Service)
{
    public static CheckKey Of(CheckResult result) => new(result.Id, result.Service);

    /// <summary>As a report names it: <c>auth.api.protected (comfyui-qwen)</c>.</summary>
    public override string ToString() => Service is null ? Id : $"{Id} ({Service})";
}
