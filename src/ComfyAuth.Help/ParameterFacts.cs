using System.Globalization;
using System.Reflection;
using System.Xml.Linq;

namespace ComfyAuth.Help;

/// <summary>What a parameter is in one of its sets.</summary>
internal sealed class ParameterFacts(PropertyInfo property, CustomAttributeData attribute, IReadOnlyList<string> aliases, IReadOnlyList<string> values)
{
    public string Name => property.Name;

    public Type DeclaringType => property.DeclaringType!;

    public Type Type => property.PropertyType is { IsGenericType: true, Name: "Nullable`1" } nullable ? nullable.GetGenericArguments()[0] : property.PropertyType;

    public bool IsSwitch => Type.Name == "SwitchParameter";

    /// <summary>The set, or nothing for all sets.</summary>
    public string? Set => Argument<string>("ParameterSetName");

    public int? Position => attribute.NamedArguments.Any(argument => argument.MemberName == "Position") ? Argument<int>("Position") : null;

    /// <summary>The values it may have, also those of an enumeration that is short enough to be read.</summary>
    public IReadOnlyList<string> Values => Type.IsEnum && Type.GetEnumNames() is { Length: <= 20 } names ? names : values;

    public string Input => (Argument<bool>("ValueFromPipeline"), Argument<bool>("ValueFromPipelineByPropertyName")) switch
    {
        (true, true) => "true (ByValue, ByPropertyName)",
        (true, false) => "true (ByValue)",
        (false, true) => "true (ByPropertyName)",
        _ => "false",
    };

    public IEnumerable<XAttribute> Traits() =>
    [
        new("required", Argument<bool>("Mandatory") ? "true" : "false"),
        new("globbing", HelpWriter.Attributes(property, "SupportsWildcardsAttribute").Any() ? "true" : "false"),
        new("pipelineInput", Input),
        new("position", Position?.ToString(CultureInfo.InvariantCulture) ?? "named"),
        new("aliases", aliases.Count == 0 ? "none" : string.Join(", ", aliases)),
    ];

    private T? Argument<T>(string name)
        => attribute.NamedArguments.FirstOrDefault(argument => argument.MemberName == name).TypedValue.Value is T value ? value : default;
}
