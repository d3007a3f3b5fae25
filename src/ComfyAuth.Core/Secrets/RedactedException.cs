namespace ComfyAuth.Secrets;

/// <summary>What a log may show of an exception: its texts without secrets, not its properties, which may hold any.</summary>
internal sealed class RedactedException : Exception
{
    private readonly string _text;

    public RedactedException(Exception exception, SecretRedactor redactor)
        : base(redactor.Redact(exception.Message), exception.InnerException is null ? null : new RedactedException(exception.InnerException, redactor))
    {
        _text = redactor.Redact(exception.ToString());
        StackTrace = redactor.Redact(exception.StackTrace);
        HResult = exception.HResult;
    }

    public override string StackTrace { get; }

    public override string ToString() => _text;
}
