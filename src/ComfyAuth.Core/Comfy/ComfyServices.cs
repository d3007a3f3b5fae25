using ComfyAuth.Stacks;

namespace ComfyAuth.Comfy;

/// <summary>Which service of a stack runs workflows.</summary>
public static class ComfyServices
{
    /// <summary>Gives the service that is meant.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="name">Its name, in any case; null for the only one that is behind ComfyUI-Login.</param>
    /// <exception cref="ComfyAuthException">
    /// <c>ServiceNotFound</c>: there is none of that name; <c>ServiceNotChosen</c>: none is named, and not exactly one is behind ComfyUI-Login.
    /// </exception>
    public static ServiceDefinition Choose(GenAIStack stack, string? name)
    {
        ArgumentNullException.ThrowIfNull(stack);
        if (name is not null)
            return stack.SelectServices([name])[0];

        var behindLogin = stack.Definition.Services.Where(service => service.Auth == AuthKind.ComfyUILogin).ToList();
        return behindLogin is [var only]
            ? only
            : throw new ComfyAuthException(
                "ServiceNotChosen",
                $"The stack '{stack.Root}' has {(behindLogin.Count == 0 ? "no service" : $"{behindLogin.Count} services")} behind ComfyUI-Login, and none is named.",
                $"Name the service: {string.Join(", ", (behindLogin.Count == 0 ? stack.Definition.Services : behindLogin).Select(service => service.Name))}.");
    }
}
