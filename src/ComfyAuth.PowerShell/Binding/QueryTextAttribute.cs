using System.Collections;
using System.Management.Automation;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>
/// Takes objects for what they tell of a problem: a diagnosis or a check for its title, condition and message, the observation
/// of a token for its state and evidence; any other object, such as an error, for its text.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class QueryTextAttribute : ArgumentTransformationAttribute
{
    // Properties that are told together, where there is the last of them.
    private static readonly string[][] Told = [["Title", "Condition", "Message"], ["State", "Evidence"]];

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) is IList list ? list.Cast<object?>().Select(TextOf).ToArray() : new[] { TextOf(inputData) };

    private static string TextOf(object? value)
    {
        if (value is null)
            return "";

        var given = PSObject.AsPSObject(value);
        var told = given.BaseObject is string ? null : Array.Find(Told, names => given.Properties[names[^1]]?.Value is not null);
        return told is null ? given.ToString() : string.Join(' ', told.Select(name => given.Properties[name]?.Value).Where(part => part is not null));
    }
}
