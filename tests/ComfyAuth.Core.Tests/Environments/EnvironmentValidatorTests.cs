using ComfyAuth.Environments;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Tokens;

namespace ComfyAuth.Tests.Environments;

public sealed class EnvironmentValidatorTests : IDisposable
{
    private readonly SampleStack _stack = new();

    private string Hash => _stack.Credential.Text;

    public void Dispose() => _stack.Dispose();

    [Fact]
    public void A_sound_file_is_valid()
    {
        var before = _stack.Snapshot();

        var seen = Validate();

        Assert.Equal((true, "comfyui-qwen", _stack.PathOf(SampleStack.ServiceEnv)), (seen.IsValid, seen.Service, seen.Path));
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public void A_file_that_does_not_exist_lacks_every_variable()
    {
        _stack.Delete(SampleStack.ServiceEnv);

        Assert.Equal(DefaultLayout.RequiredVariables, Validate().Missing);
    }

    [Fact]
    public void A_name_inside_a_comment_or_at_the_end_of_another_name_is_not_the_variable()
    {
        _stack.Replace(SampleStack.ServiceEnv, "HF_TOKEN=h\n", "# HF_TOKEN=h\nMY_HF_TOKEN=h\n");

        Assert.Equal(["HF_TOKEN"], Validate().Missing);
    }

    /// <summary>How the hash is written, and which Compose does not get it; none where both do.</summary>
    [Theory]
    [InlineData("'{hash}'", null)]
    [InlineData("{hash}", "Compose v2")]
    [InlineData("\"{hash}\"", "Compose v2")]
    [InlineData("{hash:doubled}", "Compose v1")]
    [InlineData("'{hash:doubled}'", "Compose v2")]
    [InlineData("\"{hash:escaped}\"", "Compose v1")]
    [InlineData("'{hash:-1}'", "Compose v2")]
    [InlineData("not-a-hash", "Compose v2")]
    public void The_hash_is_judged_as_each_compose_reads_it(string written, string? failing)
    {
        _stack.Replace(SampleStack.ServiceEnv, $"'{Hash}'", written
            .Replace("{hash:doubled}", Hash.Replace("$", "$$", StringComparison.Ordinal), StringComparison.Ordinal)
            .Replace("{hash:escaped}", Hash.Replace("$", "\\$", StringComparison.Ordinal), StringComparison.Ordinal)
            .Replace("{hash:-1}", Hash[..^1], StringComparison.Ordinal)
            .Replace("{hash}", Hash, StringComparison.Ordinal));

        var seen = Validate();

        Assert.Equal(failing is null, seen.IsValid);
        if (failing is not null)
        {
            var problem = Assert.Single(seen.Invalid);
            Assert.StartsWith("COMFYUI_BEARER_TOKEN: not a bcrypt hash as " + failing, problem, StringComparison.Ordinal);
            Assert.DoesNotContain(Hash[7..15], problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_unquoted_hash_whose_salt_starts_with_no_letter_is_valid()
    {
        using var stack = new SampleStack(new SampleCredential(saltStartsWithLetter: false));
        stack.Replace(SampleStack.ServiceEnv, $"'{stack.Credential.Text}'", stack.Credential.Text);

        Assert.True(Assert.Single(EnvironmentValidator.Validate(stack.Stack)).IsValid);
    }

    [Theory]
    [InlineData("X=${canary")]
    [InlineData("X=${A:?canary}")]
    [InlineData("X=${a canary}")]
    public void A_file_that_compose_refuses_is_invalid_and_the_line_is_said_once(string line)
    {
        _stack.Replace(SampleStack.ServiceEnv, "GPU_DEVICE_ID=1\n", $"GPU_DEVICE_ID=1\n{line}\n");

        var seen = Validate();

        Assert.False(seen.IsValid);
        var problem = Assert.Single(seen.Invalid, problem => problem.Contains("Compose v2", StringComparison.Ordinal));
        Assert.StartsWith("line 12: Compose v2 refuses the file: ", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", string.Join('\n', seen.Invalid), StringComparison.Ordinal);
    }

    [Fact]
    public void A_weak_signing_key_is_invalid_and_not_shown()
    {
        _stack.Replace(SampleStack.ServiceEnv, "GPU_DEVICE_ID=1", "SECRET_KEY=secret_20251030");

        var problem = Assert.Single(Validate().Invalid);
        Assert.Contains("SECRET_KEY", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("20251030", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_in_place_of_the_file_is_what_docker_left()
    {
        _stack.Delete(SampleStack.ServiceEnv);
        Directory.CreateDirectory(_stack.PathOf(SampleStack.ServiceEnv));

        var error = Assert.Throws<ComfyAuthException>(Validate);
        Assert.Equal("EnvironmentUnreadable", error.Code);
        Assert.Contains("delete the folder", error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("comfyui-qwn", "ServiceNotFound")]
    [InlineData("sd35", "NoEnvironment")]
    public void A_service_that_cannot_be_meant_is_said_so(string service, string code) =>
        Assert.Equal(code, Assert.Throws<ComfyAuthException>(() => EnvironmentValidator.Validate(_stack.Stack, [service])).Code);

    private EnvironmentValidation Validate() => Assert.Single(EnvironmentValidator.Validate(_stack.Stack));
}
