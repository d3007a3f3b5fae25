using ComfyAuth.Secrets;

namespace ComfyAuth.Installation;

/// <summary>Tells how far an installation is, without secrets.</summary>
internal sealed class StepProgress(IProgress<InstallProgress>? listener, SecretRedactor redactor)
{
    private InstallStepName _step;
    private int _number;
    private int _count;

    /// <summary>Says which step is under way.</summary>
    public void Enter(InstallStepName step, int number, int count)
    {
        (_step, _number, _count) = (step, number, count);
        Tell("", 0, null);
    }

    /// <summary>Says how far it is.</summary>
    public void Tell(string status, long done, long? total, TimeSpan? left = null) => listener?.Report(new(_step, _number, _count, redactor.Redact(status), done, total, left));
}
