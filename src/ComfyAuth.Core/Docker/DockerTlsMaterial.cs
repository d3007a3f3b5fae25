namespace ComfyAuth.Docker;

/// <summary>The PEM files of a TLS connection to an engine. They are read when a connection is made.</summary>
/// <param name="CertificateAuthorityPath"><c>ca.pem</c>: who must have signed the engine's certificate; null: the system's authorities.</param>
/// <param name="CertificatePath"><c>cert.pem</c>: who we are; null when the engine does not ask.</param>
/// <param name="KeyPath"><c>key.pem</c>: the private key of the certificate.</param>
/// <param name="SkipVerify">Whether any certificate of the engine is taken.</param>
public sealed record DockerTlsMaterial(string? CertificateAuthorityPath, string? CertificatePath, string? KeyPath, bool SkipVerify = false);
