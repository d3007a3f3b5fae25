using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Tests.Tokens;

public sealed class BearerTokenTests : IDisposable
{
    private readonly SampleStack _sample = new();
    private readonly SecretRedactor _redactor = new();

    public void Dispose() => _sample.Dispose();

    [Fact]
    public void It_is_the_hash_of_the_source_of_truth_and_the_redactor_knows_it()
    {
        var token = Of(Service());

        Assert.Equal(_sample.Credential.Hash, token);
        Assert.Equal($"token {_sample.Credential.Hash}, password [redacted]", _redactor.Redact($"token {_sample.Credential.Text}, password {_sample.Credential.Password}"));
    }

    [Fact]
    public void A_source_of_its_own_counts()
    {
        var other = new SampleCredential();
        _sample.Write("own.json", $$"""{"bcrypt_hash": "{{other.Text}}", "raw_token": "a", "password": "second password"}""");

        Assert.Equal(other.Hash, Of(Service() with { Source = "own.json" }));
        Assert.Equal(other.Hash, Of(Service() with { Source = "own.json", Auth = AuthKind.Bearer }));
        Assert.Equal("[redacted]", _redactor.Redact("second password"));
    }

    [Theory]
    [InlineData(AuthKind.None)]
    [InlineData(AuthKind.Bearer)]
    public void A_service_that_is_not_behind_the_login_does_not_get_its_token(AuthKind auth) =>
        Assert.Null(Of(Service() with { Auth = auth }));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"bcrypt_hash": 5}""")]
    [InlineData("""{"bcrypt_hash": "$2b$12$short"}""")]
    [InlineData("""{"bcrypt_hash": "a", "bcrypt_hash": "b"}""")]
    public void A_source_that_cannot_be_read_gives_none(string text)
    {
        _sample.Write(SampleStack.Source, text);

        Assert.Null(Of(Service()));
    }

    [Fact]
    public void A_source_that_is_missing_or_a_folder_gives_none()
    {
        var stack = _sample.Stack;
        _sample.Delete(SampleStack.Source);
        Assert.Null(BearerToken.Of(stack, Service(), _redactor));

        Directory.CreateDirectory(_sample.PathOf(SampleStack.Source));
        Assert.Null(BearerToken.Of(stack, Service(), _redactor));
    }

    private BcryptHash? Of(ServiceDefinition service) => BearerToken.Of(_sample.Stack, service, _redactor);

    private ServiceDefinition Service() => _sample.Stack.Definition.Services[0];
}
