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

    private SampleCredential(string password, string hash) => (Secret, Hash) = (new(password), BcryptHash.Parse(hash));

    /// <summary>One that is the same each time, for tests of which a rare one would make something else: between its hyphens, dots and capitals stands no word.</summary>
    public static SampleCredential Fixed { get; } = new("kT3_vQ9xZw-7RpLmY2sHc_0bNdGfJ8uAeXoKiV5tWqE", "$2b$04$OQ/xWUvyGE7kGECebETxb.iFhDxjZLo96WzLHhkeY0uUSb84fDm.C");

    public SecretText Secret { get; }

    public string Password => Secret.Reveal();

    public BcryptHash Hash { get; }

    public string Text => Hash.Reveal();
}
