using System.Collections.Frozen;
using System.Management.Automation;
using System.Net.Http;
using System.Net.Sockets;
using System.Security;
using System.Security.Cryptography;
using System.Text.Json;
using ComfyAuth.Secrets;
using YamlDotNet.Core;

namespace ComfyAuth.PowerShell;

/// <summary>The only place that makes an <see cref="ErrorRecord"/>.</summary>
public static class ErrorRecords
{
    private static readonly FrozenDictionary<string, ErrorCategory> CategoryOfCode = new Dictionary<string, ErrorCategory>
    {
        ["AdoptAmbiguous"] = ErrorCategory.InvalidArgument,
        ["AdoptNotFound"] = ErrorCategory.ObjectNotFound,
        ["AmbiguousCredential"] = ErrorCategory.InvalidArgument,
        ["BackupInvalid"] = ErrorCategory.InvalidData,
        ["BackupNotFound"] = ErrorCategory.ObjectNotFound,
        ["BcryptHashMalformed"] = ErrorCategory.InvalidData,
        ["CheckNotFound"] = ErrorCategory.ObjectNotFound,
        ["ComfyUINotFound"] = ErrorCategory.ObjectNotFound,
        ["ComposeArgumentInvalid"] = ErrorCategory.InvalidArgument,
        ["ComposeCannotReachEngine"] = ErrorCategory.NotImplemented,
        ["ComposeCommandFailed"] = ErrorCategory.FromStdErr,
        ["ComposeFileInvalid"] = ErrorCategory.InvalidData,
        ["ComposeFileUnreadable"] = ErrorCategory.ReadError,
        ["ComposeNotInstalled"] = ErrorCategory.NotInstalled,
        ["ComposeServiceNotFound"] = ErrorCategory.ObjectNotFound,
        ["ComposeTimedOut"] = ErrorCategory.OperationTimeout,
        ["ConfirmationImpossible"] = ErrorCategory.InvalidOperation,
        ["ContainerAbsent"] = ErrorCategory.ObjectNotFound,
        ["ContainerChangedMeanwhile"] = ErrorCategory.ResourceBusy,
        ["ContainerCommandTimedOut"] = ErrorCategory.OperationTimeout,
        ["ContainerFilesNotSeen"] = ErrorCategory.ResourceUnavailable,
        ["ContainerKeepsToken"] = ErrorCategory.InvalidOperation,
        ["ContainerModelIncomplete"] = ErrorCategory.WriteError,
        ["ContainerNotFound"] = ErrorCategory.ObjectNotFound,
        ["ContainerNotRunning"] = ErrorCategory.ResourceUnavailable,
        ["ContainerWaitFailed"] = ErrorCategory.ResourceUnavailable,
        ["ContainerWaitStalled"] = ErrorCategory.OperationTimeout,
        ["ContainerWaitTimedOut"] = ErrorCategory.OperationTimeout,
        ["ContainerWaitUndetermined"] = ErrorCategory.InvalidResult,
        ["CustomNodeBroken"] = ErrorCategory.InvalidData,
        ["CustomNodeFailed"] = ErrorCategory.FromStdErr,
        ["CustomNodeInvalid"] = ErrorCategory.InvalidArgument,
        ["CustomNodeNotLoaded"] = ErrorCategory.InvalidResult,
        ["DiskFull"] = ErrorCategory.ResourceUnavailable,
        ["DockerApiTooNew"] = ErrorCategory.NotImplemented,
        ["DockerApiTooOld"] = ErrorCategory.NotImplemented,
        ["DockerConfigInvalid"] = ErrorCategory.InvalidData,
        ["DockerConflict"] = ErrorCategory.ResourceExists,
        ["DockerContextInvalid"] = ErrorCategory.InvalidData,
        ["DockerContextUnknown"] = ErrorCategory.ObjectNotFound,
        ["DockerFileTooLarge"] = ErrorCategory.LimitsExceeded,
        ["DockerHostAndContext"] = ErrorCategory.InvalidArgument,
        ["DockerHostInvalid"] = ErrorCategory.InvalidArgument,
        ["DockerNotFound"] = ErrorCategory.ObjectNotFound,
        ["DockerNotInstalled"] = ErrorCategory.ResourceUnavailable,
        ["DockerNotRunning"] = ErrorCategory.ConnectionError,
        ["DockerPathNotFile"] = ErrorCategory.InvalidArgument,
        ["DockerPermissionDenied"] = ErrorCategory.PermissionDenied,
        ["DockerProtocolError"] = ErrorCategory.ProtocolError,
        ["DockerPullFailed"] = ErrorCategory.ConnectionError,
        ["DockerRequestFailed"] = ErrorCategory.InvalidOperation,
        ["DockerSshFailed"] = ErrorCategory.ConnectionError,
        ["DockerTimeout"] = ErrorCategory.OperationTimeout,
        ["DockerTlsFailed"] = ErrorCategory.SecurityError,
        ["DotEnvNameInvalid"] = ErrorCategory.InvalidArgument,
        ["DotEnvSyntax"] = ErrorCategory.InvalidData,
        ["DotEnvValueCannotBeQuoted"] = ErrorCategory.InvalidArgument,
        ["DotEnvValueInvalid"] = ErrorCategory.InvalidArgument,
        ["EnvironmentUnreadable"] = ErrorCategory.ReadError,
        ["FileAccessDenied"] = ErrorCategory.PermissionDenied,
        ["FileBusy"] = ErrorCategory.ResourceBusy,
        ["FileChangedMeanwhile"] = ErrorCategory.ResourceBusy,
        ["FileMissing"] = ErrorCategory.ObjectNotFound,
        ["FileOperationFailed"] = ErrorCategory.ResourceUnavailable,
        ["FolderMissing"] = ErrorCategory.ObjectNotFound,
        ["GitNotFound"] = ErrorCategory.NotInstalled,
        ["GracePeriodInvalid"] = ErrorCategory.InvalidArgument,
        ["GuestModeNotSet"] = ErrorCategory.WriteError,
        ["GuidanceQueryEmpty"] = ErrorCategory.InvalidArgument,
        ["HubAnswerInvalid"] = ErrorCategory.ProtocolError,
        ["HubBusy"] = ErrorCategory.LimitsExceeded,
        ["HubEndpointInvalid"] = ErrorCategory.InvalidArgument,
        ["HubFailed"] = ErrorCategory.ResourceUnavailable,
        ["HubFileGated"] = ErrorCategory.PermissionDenied,
        ["HubFileInvalid"] = ErrorCategory.InvalidArgument,
        ["HubFileNotFound"] = ErrorCategory.ObjectNotFound,
        ["HubRedirectRefused"] = ErrorCategory.SecurityError,
        ["HubRefused"] = ErrorCategory.PermissionDenied,
        ["HubRefusedToken"] = ErrorCategory.AuthenticationError,
        ["HubRepositoryNotFound"] = ErrorCategory.ObjectNotFound,
        ["HubRevisionNotFound"] = ErrorCategory.ObjectNotFound,
        ["HubTimedOut"] = ErrorCategory.OperationTimeout,
        ["HubTokenInvalid"] = ErrorCategory.InvalidArgument,
        ["HubUnreachable"] = ErrorCategory.ConnectionError,
        ["InstallContainerForeign"] = ErrorCategory.ResourceExists,
        ["InstallCredentialMissing"] = ErrorCategory.SecurityError,
        ["InstallJournalUnreadable"] = ErrorCategory.InvalidData,
        ["InstallNotRemoved"] = ErrorCategory.WriteError,
        ["InstallStepUnproven"] = ErrorCategory.InvalidResult,
        ["InstallUndoIncomplete"] = ErrorCategory.WriteError,
        ["JournalUnreadable"] = ErrorCategory.InvalidData,
        ["LinkLoop"] = ErrorCategory.InvalidData,
        ["LocalFileUnreadable"] = ErrorCategory.ReadError,
        ["LockTimeout"] = ErrorCategory.OperationTimeout,
        ["LoginFolderUnknown"] = ErrorCategory.ObjectNotFound,
        ["LoginNotAsked"] = ErrorCategory.ResourceUnavailable,
        ["ModelChangedMeanwhile"] = ErrorCategory.ResourceBusy,
        ["ModelDownloadInvalid"] = ErrorCategory.InvalidArgument,
        ["ModelDownloadOptionsInvalid"] = ErrorCategory.InvalidArgument,
        ["ModelFileInvalid"] = ErrorCategory.InvalidData,
        ["ModelHashMismatch"] = ErrorCategory.InvalidData,
        ["ModelNotAsPinned"] = ErrorCategory.InvalidData,
        ["ModelNotFound"] = ErrorCategory.ObjectNotFound,
        ["ModelSourceUnknown"] = ErrorCategory.ObjectNotFound,
        ["ModelsFolderNotMounted"] = ErrorCategory.InvalidOperation,
        ["ModelsFolderUnknown"] = ErrorCategory.InvalidArgument,
        ["ModelsNotListed"] = ErrorCategory.InvalidResult,
        ["NamePatternInvalid"] = ErrorCategory.InvalidArgument,
        ["NoEnvironment"] = ErrorCategory.ObjectNotFound,
        ["NoLoginService"] = ErrorCategory.ObjectNotFound,
        ["OwnerCannotBeKept"] = ErrorCategory.PermissionDenied,
        ["PasswordHasNul"] = ErrorCategory.InvalidArgument,
        ["PasswordNotUnicode"] = ErrorCategory.InvalidArgument,
        ["PasswordTooLong"] = ErrorCategory.InvalidArgument,
        ["PathInvalid"] = ErrorCategory.InvalidArgument,
        ["PathNotFileSystem"] = ErrorCategory.InvalidArgument,
        ["PathNotFound"] = ErrorCategory.ObjectNotFound,
        ["PathOutsideRoot"] = ErrorCategory.InvalidArgument,
        ["PrerequisitesMissing"] = ErrorCategory.ResourceUnavailable,
        ["PythonNotFound"] = ErrorCategory.NotInstalled,
        ["ReadOnlyFileSystem"] = ErrorCategory.WriteError,
        ["RecoveryConflict"] = ErrorCategory.InvalidOperation,
        ["RecoveryPending"] = ErrorCategory.InvalidOperation,
        ["RepairChangedSince"] = ErrorCategory.ResourceExists,
        ["RepairNotFound"] = ErrorCategory.ObjectNotFound,
        ["RepairUnreadable"] = ErrorCategory.InvalidData,
        ["ReportFormatUnknown"] = ErrorCategory.InvalidArgument,
        ["ReportInputInvalid"] = ErrorCategory.InvalidType,
        ["ReportInvalid"] = ErrorCategory.InvalidData,
        ["ReportNotWritten"] = ErrorCategory.WriteError,
        ["ReportOfSeveralStacks"] = ErrorCategory.InvalidArgument,
        ["ReportTooNew"] = ErrorCategory.NotImplemented,
        ["ReportUnreadable"] = ErrorCategory.ReadError,
        ["ReportWouldOverwrite"] = ErrorCategory.ResourceExists,
        ["RestoreWouldInvalidate"] = ErrorCategory.InvalidOperation,
        ["RollbackIncomplete"] = ErrorCategory.WriteError,
        ["RootMissing"] = ErrorCategory.ObjectNotFound,
        ["SecretEmpty"] = ErrorCategory.InvalidArgument,
        ["ServiceAddressInvalid"] = ErrorCategory.InvalidArgument,
        ["ServiceAnswerInvalid"] = ErrorCategory.ProtocolError,
        ["ServiceFailed"] = ErrorCategory.InvalidResult,
        ["ServiceFileMissing"] = ErrorCategory.ObjectNotFound,
        ["ServiceHasNoLogin"] = ErrorCategory.NotInstalled,
        ["ServiceHasNoPassword"] = ErrorCategory.SecurityError,
        ["ServiceNotChosen"] = ErrorCategory.InvalidArgument,
        ["ServiceNotFound"] = ErrorCategory.ObjectNotFound,
        ["ServiceRefusedPassword"] = ErrorCategory.AuthenticationError,
        ["ServiceRefusedToken"] = ErrorCategory.AuthenticationError,
        ["ServiceTimedOut"] = ErrorCategory.OperationTimeout,
        ["ServiceUnreachable"] = ErrorCategory.ConnectionError,
        ["ServiceWantsToken"] = ErrorCategory.AuthenticationError,
        ["SourceFileUnreadable"] = ErrorCategory.ReadError,
        ["SourceTokenInvalid"] = ErrorCategory.InvalidArgument,
        ["StackFileInvalid"] = ErrorCategory.InvalidData,
        ["StackFileUnreadable"] = ErrorCategory.ReadError,
        ["StackNotFound"] = ErrorCategory.ObjectNotFound,
        ["StateFolderIsNotFolder"] = ErrorCategory.ResourceExists,
        ["TargetIsDirectory"] = ErrorCategory.InvalidArgument,
        ["TargetIsNotFile"] = ErrorCategory.InvalidArgument,
        ["TemplateMissing"] = ErrorCategory.ObjectNotFound,
        ["TestImageNotAsked"] = ErrorCategory.ResourceUnavailable,
        ["TestImageWrong"] = ErrorCategory.InvalidResult,
        ["TokenLocationUnusable"] = ErrorCategory.InvalidData,
        ["TokenNotProven"] = ErrorCategory.ResourceUnavailable,
        ["TokenProofFailed"] = ErrorCategory.AuthenticationError,
        ["TokenSourceInvalid"] = ErrorCategory.InvalidData,
        ["TokenSourceMissing"] = ErrorCategory.ObjectNotFound,
        ["UploadRefused"] = ErrorCategory.InvalidData,
        ["WorkflowFailed"] = ErrorCategory.InvalidResult,
        ["WorkflowInputAmbiguous"] = ErrorCategory.InvalidArgument,
        ["WorkflowInputInvalid"] = ErrorCategory.InvalidArgument,
        ["WorkflowInputUnknown"] = ErrorCategory.ObjectNotFound,
        ["WorkflowInterrupted"] = ErrorCategory.OperationStopped,
        ["WorkflowInvalid"] = ErrorCategory.InvalidData,
        ["WorkflowLost"] = ErrorCategory.InvalidResult,
        ["WorkflowMalformed"] = ErrorCategory.InvalidData,
        ["WorkflowNotApiFormat"] = ErrorCategory.InvalidData,
        ["WorkflowRefused"] = ErrorCategory.InvalidData,
        ["WorkflowTimedOut"] = ErrorCategory.OperationTimeout,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>
    /// Makes the record of an error. Its id is the error's code, or <c>Unexpected</c> and the type of an exception
    /// that is not ours; its recommended action is the remedy. An exception that tells a secret is replaced by one
    /// that does not.
    /// </summary>
    /// <param name="exception">What went wrong; never a cancellation of the user's.</param>
    /// <param name="target">The input it went wrong with.</param>
    /// <param name="redactor">Knows the secrets.</param>
    /// <returns>The record.</returns>
    public static ErrorRecord Create(Exception exception, object? target, SecretRedactor redactor)
    {
        ArgumentNullException.ThrowIfNull(exception);
        ArgumentNullException.ThrowIfNull(redactor);

        if (exception is AggregateException { InnerExceptions: [var only] })
            exception = only;

        var ours = exception as ComfyAuthException;
        var id = ours?.Code ?? "Unexpected" + exception.GetType().Name;
        var category = ours is null ? CategoryOf(exception) : CategoryOfCode.GetValueOrDefault(ours.Code, ErrorCategory.InvalidOperation);

        var message = redactor.Redact(exception.Message);
        var remedy = redactor.Redact(ours?.Remedy ?? "");
        var told = exception.ToString();
        if (redactor.Redact(told) != told)
            exception = new ComfyAuthException(id, message, remedy);

        return new ErrorRecord(exception, id, category, target is string text ? redactor.Redact(text) : target)
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
