using System.IO.Enumeration;
using ComfyAuth.Stacks;

namespace ComfyAuth.Models;

/// <summary>The models that the services of a stack need.</summary>
public static class ModelCatalogue
{
    /// <summary>What is to be got so that the models are there.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">Only the models of these services, by name; empty: of all.</param>
    /// <param name="names">Only models with one of these names; <c>*</c> and <c>?</c> stand for other characters. Empty: all.</param>
    /// <returns>The downloads; a model that several services share is there once.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>ServiceNotFound</c>; <c>ModelNotFound</c>: no model has such a name, or there is none at all; and what <see cref="ModelDownload.Of"/> says.
    /// </exception>
    public static IReadOnlyList<ModelDownload> Choose(GenAIStack stack, IReadOnlyCollection<string> services, IReadOnlyCollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(names);
        var models = stack.SelectServices(services)
            .Where(service => service.ModelsFolder is not null)
            .SelectMany(service => service.Models.Select(model => (Model: model, Folder: stack.PathOf(service.ModelsFolder!))))
            .ToList();
        if (models.Count == 0)
            throw new ComfyAuthException("ModelNotFound", $"No chosen service of the stack '{stack.Root}' has models.", $"Name them under 'models' of a service in {GenAIStack.FileName}, or choose another service.");
        if (names.FirstOrDefault(name => !models.Exists(each => Matches(name, each.Model))) is { } unknown)
            throw new ComfyAuthException("ModelNotFound", $"No model of the stack '{stack.Root}' is called '{unknown}'.", $"Choose one of {string.Join(", ", models.Select(each => each.Model.Name).Distinct())}.");
        return [.. models.Where(each => names.Count == 0 || names.Any(name => Matches(name, each.Model))).Select(each => ModelDownload.Of(each.Model, each.Folder)).Distinct()];
    }

    private static bool Matches(string pattern, ModelFile model) =>
        FileSystemName.MatchesSimpleExpression(pattern, model.Name) || FileSystemName.MatchesSimpleExpression(pattern, model.Path);
}
