using ComfyAuth.Secrets;

namespace ComfyAuth.Containers;

/// <summary>Concludes from what was seen of a container what it is doing.</summary>
public static class ContainerDiagnostician
{
    /// <summary>The rules, the most telling first: the first that finds its condition names the diagnosis, the others are told beside it.</summary>
    public static IReadOnlyList<DiagnosisRule> Rules { get; } = [];

    /// <summary>Makes the diagnosis.</summary>
    /// <param name="snapshot">What was seen.</param>
    /// <param name="redactor">Takes the secrets out of the evidence.</param>
    public static ContainerDiagnosis Diagnose(ContainerSnapshot snapshot, SecretRedactor redactor) => throw new NotImplementedException();
}
