using System.Collections;
using System.Globalization;

namespace ComfyAuth.Secrets;

/// <summary>The message and the named values of a log entry or a scope, without secrets.</summary>
internal sealed class RedactedState : IReadOnlyList<KeyValuePair<string, object?>>
{
    private readonly KeyValuePair<string, object?>[] _values;
    private readonly string _message;

    public RedactedState(object? state, string? message, SecretRedactor redactor)
    {
        message ??= "";
        var values = new List<KeyValuePair<string, object?>>();
        foreach (var (name, value) in state as IEnumerable<KeyValuePair<string, object?>> ?? [])
        {
            if (value is string { Length: > 0 } secret && SecretRedactor.IsSecretName(name))
            {
                // The message has the value without the name that gave it away.
                if (secret.Length >= KnownSecretIndex.MinimumLength)
                    message = message.Replace(secret, SecretRedactor.Mark, StringComparison.Ordinal);
                values.Add(new(name, SecretRedactor.Mark));
            }
            else
            {
                values.Add(new(name, Redact(value, redactor)));
            }
        }

        _values = [.. values];
        _message = redactor.Redact(message);
    }

    public int Count => _values.Length;

    public KeyValuePair<string, object?> this[int index] => _values[index];

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, object?>>)_values).GetEnumerator();

    public override string ToString() => _message;

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // Numbers, times and the like keep their type for structured logs; a number may still be a registered secret.
    private static object? Redact(object? value, SecretRedactor redactor)
    {
        if (value is null)
            return null;
        var text = value is IEnumerable and not string
            ? string.Join(", ", ((IEnumerable)value).Cast<object?>())
            : Convert.ToString(value, CultureInfo.InvariantCulture);
        var redacted = redactor.Redact(text);
        return value is ValueType && value is IFormattable && redacted == text ? value : redacted;
    }
}
