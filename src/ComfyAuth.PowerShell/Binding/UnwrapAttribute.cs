using System.Collections;
using System.Management.Automation;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>
/// Takes the objects given to a parameter, and those in lists and dictionaries given to it, out of the wrappers that
/// PowerShell puts around them, so that the core meets plain .NET objects.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class UnwrapAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) => Unwrap(inputData)!;

    private static object? Unwrap(object? value) => (value is PSObject wrapped ? wrapped.BaseObject : value) switch
    {
        // A custom object has no object inside: its properties are what it is.
        PSCustomObject => value,
        IDictionary dictionary => Unwrap(dictionary),
        object?[] array when array.GetType() == typeof(object[]) => Array.ConvertAll(array, Unwrap),
        var plain => plain,
    };

    private static Hashtable Unwrap(IDictionary dictionary)
    {
        var result = new Hashtable(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry entry in dictionary)
            result[Unwrap(entry.Key)!] = Unwrap(entry.Value);
        return result;
    }
}
