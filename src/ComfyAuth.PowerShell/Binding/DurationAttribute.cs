using System.Globalization;
using System.Management.Automation;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>
/// Takes a bare number for seconds, where PowerShell would take it for units of 100 nanoseconds, and reads <c>10m</c>;
/// what is negative, or longer than 30 days, is refused.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DurationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        // Numbers and lengths of time are read from their own text.
        var text = Convert.ToString(inputData is PSObject wrapped ? wrapped.BaseObject : inputData, CultureInfo.InvariantCulture);
        return Duration.TryParse(text, out var duration) ? duration : throw new ArgumentTransformationMetadataException(Duration.Refusal(text));
    }
}
