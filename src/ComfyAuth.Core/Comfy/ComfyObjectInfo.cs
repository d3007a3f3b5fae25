using System.Text.Json;

namespace ComfyAuth.Comfy;

/// <summary>The classes of nodes that a ComfyUI knows (<c>/object_info</c>).</summary>
public sealed class ComfyObjectInfo
{
    private readonly Dictionary<string, ComfyNodeClass> _classes;

    private ComfyObjectInfo(Dictionary<string, ComfyNodeClass> classes) => _classes = classes;

    /// <summary>The classes, by name. Names are told apart by case, as ComfyUI does.</summary>
    public IReadOnlyDictionary<string, ComfyNodeClass> Classes => _classes;

    /// <summary>Reads an answer. What is no class, or has inputs of a form that is not known, is read as far as it goes.</summary>
    internal static ComfyObjectInfo Read(JsonElement answer)
    {
        var classes = new Dictionary<string, ComfyNodeClass>(StringComparer.Ordinal);
        foreach (var (name, value) in answer.Members())
        {
            if (value.ValueKind == JsonValueKind.Object)
                classes[name] = ComfyNodeClass.Read(name, value);
        }

        return new(classes);
    }
}
