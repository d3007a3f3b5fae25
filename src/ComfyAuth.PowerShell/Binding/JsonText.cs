using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Numerics;
using System.Text.Json.Nodes;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>Makes JSON of PowerShell's objects: hashtables, custom objects, lists and plain values.</summary>
internal static class JsonText
{
    private const int DeepestObject = 60;

    /// <summary>Gives the JSON; <c>WorkflowMalformed</c> for what has none, and for an object in itself.</summary>
    public static JsonNode? Of(object? value, int depth = 0)
    {
        if (depth > DeepestObject)
            throw new ComfyAuthException("WorkflowMalformed", "The object is deeper than a workflow can be.", "Give a workflow as ConvertFrom-Json makes it.");

        return (value is PSObject wrapped ? wrapped.BaseObject : value) switch
        {
            null => null,
            PSCustomObject => Object(PSObject.AsPSObject(value).Properties.Select(property => (property.Name, (object?)property.Value)), depth),
            IDictionary dictionary => Object(dictionary.Cast<DictionaryEntry>().Select(entry => ($"{entry.Key}", entry.Value)), depth),
            string text => JsonValue.Create(text),
            bool truth => JsonValue.Create(truth),
            SwitchParameter truth => JsonValue.Create((bool)truth),
            double number => JsonValue.Create(number),
            float number => JsonValue.Create(number),
            decimal number => JsonValue.Create(number),
            ulong number => JsonValue.Create(number),
            BigInteger number => JsonNode.Parse(number.ToString(CultureInfo.InvariantCulture)),
            sbyte or byte or short or ushort or int or uint or long => JsonValue.Create(Convert.ToInt64(PSObject.AsPSObject(value).BaseObject, CultureInfo.InvariantCulture)),
            char letter => JsonValue.Create(letter.ToString()),
            Enum choice => JsonValue.Create(choice.ToString()),
            FileSystemInfo file => JsonValue.Create(file.FullName),

            // ConvertFrom-Json takes texts for dates that look like one.
            DateTime time => JsonValue.Create(time.ToString("o", CultureInfo.InvariantCulture)),
            IEnumerable items => new JsonArray([.. items.Cast<object?>().Select(item => Of(item, depth + 1))]),
            var other => throw new ComfyAuthException("WorkflowMalformed", $"A {other.GetType().Name} is no part of a workflow.", "Give a text, a number, $true or $false, a list, a hashtable or a custom object."),
        };
    }

    private static JsonObject Object(IEnumerable<(string Name, object? Value)> members, int depth)
    {
        var result = new JsonObject();
        foreach (var (name, value) in members)
            result[name] = Of(value, depth + 1);
        return result;
    }
}
