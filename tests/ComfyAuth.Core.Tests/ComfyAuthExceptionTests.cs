namespace ComfyAuth.Tests;

public sealed class ComfyAuthExceptionTests
{
    [Fact]
    public void An_error_carries_its_code_and_its_remedy()
    {
        var error = new ComfyAuthException("StackNotFound", "No stack here.", "Give -Path.");

        Assert.Equal(("StackNotFound", "No stack here.", "Give -Path."), (error.Code, error.Message, error.Remedy));
    }
}
