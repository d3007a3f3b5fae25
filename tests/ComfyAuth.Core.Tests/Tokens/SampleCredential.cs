using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Tokens;

/// <summary>A password and a cheap hash of it, made for one test.</summary>
public sealed class SampleCredential
{
    private const int CheapestCost = 4;

    /// <summary>Makes a credential.</summary>
    /// <param name="saltStartsWithLetter">Whether Compose v2 would cut the hash, as it cuts four out of five.</param>
    public SampleCredential(bool saltStartsWithLetter = true)
    {
        Secret = RandomSecret.Create();
        do
            Hash = Bcrypt.Hash(Secret, CheapestCost);
        while (char.IsAsciiLetter(Text[7]) != saltStartsWithLetter);
    }

    public SecretText Secret { get; }

    public string Password => Secret.Reveal();

    public BcryptHash Hash { get; }

    public string Text => Hash.Reveal();
}
