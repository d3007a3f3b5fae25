using ComfyAuth.Environments;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Tokens;

namespace ComfyAuth.Tests.Environments;

public sealed class EnvironmentTemplateTests : IDisposable
{
    private readonly SampleStack _stack = new();

    public void Dispose() => _stack.Dispose();

    [Fact]
    public async Task The_built_in_template_has_every_required_variable_and_no_secret()
    {
        _stack.Delete(SampleStack.ServiceEnv);
        await ApplyAsync(_ => false);
        var plan = Plan();

        Assert.Subset(plan.Document.Entries.Select(entry => entry.Name).ToHashSet(), DefaultLayout.RequiredVariables.ToHashSet());
        Assert.All(["CIVITAI_TOKEN", "HF_TOKEN", "QWEN_API_TOKEN", "COMFYUI_PASSWORD", "COMFYUI_BEARER_TOKEN", "SECRET_KEY"], name => Assert.Equal("", plan.Document.Get(name)));
        Assert.False(File.Exists(_stack.PathOf(SampleStack.ServiceEnv)));
    }

    /// <summary>A missing variable stands below its nearest neighbour of the template's section that the file has.</summary>
    [Theory]
    [InlineData("A=1\nC=3\nX=9\n", "A=1\n# about B\nB=2\nC=3\nX=9\n")]
    [InlineData("C=3\nX=9\n", "C=3\nA=1\n# about B\nB=2\nX=9\n")]
    [InlineData("X=9", "X=9\nA=1\n# about B\nB=2\nC=3\n")]
    [InlineData("X=9\r\nA=1\r\nC=3\r\n", "X=9\r\nA=1\r\n# about B\r\nB=2\r\nC=3\r\n")]
    public async Task A_missing_variable_is_put_where_the_template_has_it(string text, string expected)
    {
        _stack.Write("comfyauth.yml", "defaults: false\nservices:\n  one: { url: 'http://localhost:1', env: { file: one/.env, template: one/.env.example } }\n");
        _stack.Write("one/.env.example", "# --- First ---\nA=1\n# about B\nB=2\nC=3\n\n# --- Second ---\nX=0\n");
        _stack.Write("one/.env", text);

        await ApplyAsync(_ => true);

        Assert.Equal(expected, _stack.Read("one/.env"));
    }

    private EnvironmentRestorePlan Plan() => Assert.Single(new EnvironmentRestorer(_stack.Verifier, new()).Plan(_stack.Stack, new() { Backup = false }, TestContext.Current.CancellationToken));

    private Task<EnvironmentRestoreResult> ApplyAsync(Predicate<PlannedEnvironmentChange> approve) => Plan().ApplyAsync(change => Task.FromResult(approve(change)), TestContext.Current.CancellationToken);
}
