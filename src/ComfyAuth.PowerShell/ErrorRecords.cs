using System.Collections.Frozen;
using System.Management.Automation;
using System.Net.Http;
using System.Net.Sockets;
using System.Security;
using System.Security.Cryptography;
using System.Text.Json;
using YamlDotNet.Core;

namespace ComfyAuth.PowerShell;

/// <summary>The only place that makes an <see cref="ErrorRecord"/>.</summary>
public static class ErrorRecords
{
    private static readonly FrozenDictionary<string, ErrorCategory> CategoryOfCode = new Dictionary<string, ErrorCategory>
    {
        ["ConfirmationImpossible"] = ErrorCategory.InvalidOperation,
        ["PathNotFileSystem"] = ErrorCategory.InvalidArgument,
        ["PathNotFound"] = ErrorCategory.ObjectNotFound,
        ["PathInvalid"] = ErrorCategory.InvalidArgument,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>
    /// Makes the record of an error. Its id is the error's code, or <c>Unexpected</c> and the type of an exception
    /// that is not ours; its recommended action is the remedy. An exception that tells a secret is replaced by one
    /// that does not.
    /// </summary>
    /// <param name="exception">What went wrong; never a cancellation of the user's.</param>
    /// <param name="target">The input it went wrong with.</param>
    /// <param name="redact">Takes the secrets out of a text.</param>
    /// <returns>The record.</returns>
    public static ErrorRecord Create(Exception exception, object? target, Func<string, string> redact)
    {
        ArgumentNullException.ThrowIfNull(exception);
        ArgumentNullException.ThrowIfNull(redact);

        if (exception is AggregateException { InnerExceptions: [var only] })
            exception = only;

        var ours = exception as ComfyAuthException;
        var id = ours?.Code ?? "Unexpected" + exception.GetType().Name;
        var category = ours is null ? CategoryOf(exception) : CategoryOfCode.GetValueOrDefault(ours.Code, ErrorCategory.InvalidOperation);

        var message = redact(exception.Message);
        var remedy = redact(ours?.Remedy ?? "");
        var told = exception.ToString();
        if (redact(told) != told)
            exception = new ComfyAuthException(id, message, remedy);

        return new ErrorRecord(exception, id, category, target is string text ? redact(text) : target)
        {
            ErrorDetails = new ErrorDetails(message) { RecommendedAction = remedy },
        };
    }

    private static ErrorCategory CategoryOf(Exception exception) => exception switch
    {
        UnauthorizedAccessException or SecurityException => ErrorCategory.PermissionDenied,
        FileNotFoundException or DirectoryNotFoundException or System.IO.DriveNotFoundException or ItemNotFoundException => ErrorCategory.ObjectNotFound,
        InvalidDataException or FormatException or JsonException or YamlException => ErrorCategory.InvalidData,
        HttpRequestException or SocketException => ErrorCategory.ConnectionError,
        IOException => ErrorCategory.ResourceUnavailable,
        TimeoutException or OperationCanceledException => ErrorCategory.OperationTimeout,
        CryptographicException => ErrorCategory.SecurityError,
        NotSupportedException or NotImplementedException => ErrorCategory.NotImplemented,
        ArgumentException => ErrorCategory.InvalidArgument,
        _ => ErrorCategory.InvalidOperation,
    };
}
