using ComfyAuth.Secrets;
using ComfyAuth.Tokens;

namespace ComfyAuth.Tests.Tokens;

public sealed class StackSecretsTests : IDisposable
{
    private readonly SampleStack _sample = new();

    public void Dispose() => _sample.Dispose();

    [Fact]
    public void What_stands_in_every_file_of_the_stack_is_known()
    {
        var older = new SampleCredential();
        _sample.Write(SampleStack.NotebooksEnv, $"COMFYUI_API_TOKEN={older.Text}\nOTHER_PASSWORD=other-one\nNAME=plain-name\n");
        _sample.Write(".secrets/.env.huggingface", "HF_TOKEN='hub-one'\n");
        _sample.Replace(SampleStack.ServiceEnv, _sample.Credential.Password, older.Password);

        var redactor = Register();

        foreach (var secret in new[] { _sample.Credential.Password, _sample.Credential.Text[7..], older.Password, older.Text[7..], "other-one", "hub-one" })
            Assert.DoesNotContain(secret, redactor.Redact($"here {secret} there"), StringComparison.Ordinal);
        Assert.Equal("alice plain-name", redactor.Redact("alice plain-name"));
    }

    [Theory]
    [InlineData("A_TOKEN='never closed\nB_TOKEN=well-kept\n")]
    [InlineData("A_TOKEN=${never closed\nB_TOKEN=well-kept\n")]
    [InlineData("A_TOKEN=${X:?no}\nB_TOKEN=well-kept\n")]
    [InlineData("\0\u0001")]
    public void A_file_that_cannot_be_read_keeps_no_other_from_it(string broken)
    {
        _sample.Write(SampleStack.RootEnv, broken);
        _sample.Write(SampleStack.Source, "{ no JSON");
        _sample.Delete(SampleStack.ServiceEnv);
        Directory.CreateDirectory(_sample.PathOf(SampleStack.ServiceEnv));

        Assert.Equal("[redacted]", Register().Redact(_sample.Credential.Text[7..]));
    }

    private SecretRedactor Register()
    {
        var redactor = new SecretRedactor();
        StackSecrets.Register(_sample.Stack, redactor);
        return redactor;
    }
}
