using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Stacks;

public sealed class GenAIStackTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("comfyauth.yml")]
    [InlineData(".secrets/comfyui_auth_tokens.conf")]
    [InlineData("docker-configurations/services/comfyui-qwen/docker-compose.yml")]
    [InlineData("docker-configurations/comfyui-qwen/docker-compose.yml")]
    public void A_stack_is_found_from_any_folder_below_its_root(string marker)
    {
        _folder.Write(marker, "");
        var below = Directory.CreateDirectory(_folder.PathOf("a/b")).FullName;

        Assert.Equal(_folder.Path, GenAIStack.Find(below).Root);
    }

    [Fact]
    public void The_nearest_stack_wins()
    {
        _folder.Write("comfyauth.yml", "");
        _folder.Write("inner/comfyauth.yml", "keepBackups: 2");

        var stack = GenAIStack.Find(_folder.PathOf("inner"));

        Assert.Equal((_folder.PathOf("inner"), 2, _folder.PathOf("inner/comfyauth.yml")), (stack.Root, stack.Definition.KeepBackups, stack.DefinitionPath));
    }

    [Fact]
    public void The_older_place_of_the_service_is_used_where_it_is_the_only_one()
    {
        _folder.Write("docker-configurations/comfyui-qwen/.env", "");

        Assert.Equal("docker-configurations/comfyui-qwen/.env", GenAIStack.Find(_folder.Path).Definition.Services[0].Environment!.Path);
    }

    [Fact]
    public void A_folder_that_is_no_stack_is_named() =>
        Assert.Contains(_folder.Path, Code("StackNotFound", () => GenAIStack.Find(_folder.Path)), StringComparison.Ordinal);

    [Fact]
    public void A_folder_that_is_missing_is_named() =>
        Assert.Contains("nowhere", Code("PathNotFound", () => GenAIStack.Find(_folder.PathOf("nowhere"))), StringComparison.Ordinal);

    [Fact]
    public void An_unknown_service_is_refused_with_the_nearest_name()
    {
        _folder.Write("comfyauth.yml", "");

        var error = Assert.Throws<ComfyAuthException>(() => GenAIStack.Find(_folder.Path).SelectServices(["comfyui-qwem"]));

        Assert.Equal("ServiceNotFound", error.Code);
        Assert.StartsWith("Did you mean 'comfyui-qwen'?", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Services_are_picked_in_any_case_and_in_the_definitions_order()
    {
        _folder.Write("comfyauth.yml", "");

        Assert.Equal(["comfyui-qwen", "sd35"], GenAIStack.Find(_folder.Path).SelectServices(["SD35", "comfyui-qwen"]).Select(service => service.Name));
    }

    private static string Code(string code, Action action)
    {
        var error = Assert.Throws<ComfyAuthException>(action);
        Assert.Equal(code, error.Code);
        return error.Message;
    }

    [Theory]
    [InlineData("coursia-*", "flux-1-dev sd35 orchestrator")]
    [InlineData("coursia-sd3?", "sd35")]
    [InlineData("COURSIA-SD35", "sd35")]
    [InlineData("comfyui-qwen coursia-sd35", "comfyui-qwen sd35")]
    [InlineData("*", "comfyui-qwen flux-1-dev sd35 orchestrator")]
    [InlineData("nothing*", "")]
    public void Services_are_picked_by_the_names_of_their_containers(string containers, string services)
    {
        _folder.Write("comfyauth.yml", "");

        var picked = GenAIStack.Find(_folder.Path).SelectServices(null, containers.Split(' '));

        Assert.Equal(services, string.Join(' ', picked.Select(service => service.Name)));
    }

    [Fact]
    public void A_container_that_no_chosen_service_has_is_refused_with_the_nearest_name()
    {
        _folder.Write("comfyauth.yml", "");
        var stack = GenAIStack.Find(_folder.Path);

        var error = Assert.Throws<ComfyAuthException>(() => stack.SelectServices(null, ["coursia-*", "comfy-qwen"]));
        var other = Assert.Throws<ComfyAuthException>(() => stack.SelectServices(["sd35"], ["comfyui-qwen"]));

        var odd = Assert.Throws<ComfyAuthException>(() => stack.SelectServices(null, ["sd["]));

        Assert.Equal(("ContainerNotFound", "ContainerNotFound", "ContainerNotFound"), (error.Code, other.Code, odd.Code));
        Assert.StartsWith("Did you mean 'comfyui-qwen'? ", error.Remedy, StringComparison.Ordinal);
        Assert.Equal("Their containers are coursia-sd35.", other.Remedy);
    }
}
