using System.Collections.Frozen;

namespace ComfyAuth.Validation;

/// <summary>Where the checks of a category count.</summary>
/// <param name="Component">The component whose score they make.</param>
/// <param name="Area">The row of the conformity matrix that they make.</param>
internal sealed record CategoryPlace(StackComponent Component, ConformityArea Area)
{
    private static readonly CategoryPlace Elsewhere = new(StackComponent.Other, ConformityArea.Validation);

    /// <summary>Every known category.</summary>
    public static FrozenDictionary<string, CategoryPlace> Known { get; } = new Dictionary<string, CategoryPlace>
    {
        ["engine"] = new(StackComponent.DockerConfiguration, ConformityArea.Architecture),
        ["compose"] = new(StackComponent.DockerConfiguration, ConformityArea.Architecture),
        ["container"] = new(StackComponent.Containers, ConformityArea.Architecture),
        ["gpu"] = new(StackComponent.Containers, ConformityArea.Architecture),
        ["service"] = new(StackComponent.Connectivity, ConformityArea.Architecture),
        ["api"] = new(StackComponent.Connectivity, ConformityArea.Architecture),
        ["auth"] = new(StackComponent.Authentication, ConformityArea.Security),
        ["token"] = new(StackComponent.AuthenticationConfiguration, ConformityArea.Security),
        ["env"] = new(StackComponent.AuthenticationConfiguration, ConformityArea.Architecture),
        ["secrets"] = new(StackComponent.SecretsAndHardening, ConformityArea.Security),
        ["hardening"] = new(StackComponent.SecretsAndHardening, ConformityArea.Security),
        ["model"] = new(StackComponent.Models, ConformityArea.Architecture),
        ["content"] = new(StackComponent.Content, ConformityArea.Documentation),
        ["notebook"] = new(StackComponent.Content, ConformityArea.Documentation),
        ["python"] = new(StackComponent.Content, ConformityArea.Architecture),
        ["git"] = new(StackComponent.Content, ConformityArea.Validation),
        ["custom"] = Elsewhere,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Where a category counts, known or not.</summary>
    public static CategoryPlace Of(string category) => Known.GetValueOrDefault(category, Elsewhere);
}
