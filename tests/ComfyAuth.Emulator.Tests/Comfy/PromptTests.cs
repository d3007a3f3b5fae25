using System.Text.Json;
using System.Text.Json.Nodes;

namespace ComfyAuth.Emulator.Tests.Comfy;

/// <summary>What is taken and what is refused before anything runs.</summary>
public sealed class PromptTests
{
    public static TheoryData<string, string, string, int, string, string, string> Prompts =>
    [
        .. from row in Table.Rows("Comfy/data/prompts.tsv")
           from version in row[1] == "both" ? ["0.3.18", "0.3.64"] : new[] { row[1] }
           select (row[0], version, row[2], int.Parse(row[3]), row[4], row[5], row[6]),
    ];

    [Theory]
    [MemberData(nameof(Prompts))]
    public async Task It_answers_as_the_real_one_does(string name, string version, string body, int status, string error, string nodeErrors, string text)
    {
        await using var session = await ComfySession.StartAsync(new() { Version = version });
        await session.UploadAsync(ComfySession.Reference(), "here.png");

        var (answered, answer) = await session.PostAsync("prompt", body);

        Assert.Equal((name, status), (name, answered));
        Assert.Contains(text, answer.Replace("\\u0027", "'"), StringComparison.Ordinal);
        if (status == 500)
            return;

        var json = JsonNode.Parse(answer)!;
        var said = json["error"] switch { null => "-", JsonObject structured => structured["type"]!.GetValue<string>(), var plain => plain.ToJsonString() };
        Assert.Equal(error, said);
        if (json["error"] is JsonObject details)
            Assert.Equal(["type", "message", "details", "extra_info"], details.Select(property => property.Key));
        if (nodeErrors != "*")
            Assert.Equal(nodeErrors, Summary(json["node_errors"]!));
    }

    [Fact]
    public async Task An_error_of_a_node_says_what_was_expected_and_what_came()
    {
        await using var session = await ComfySession.StartAsync();
        var workflow = ComfySession.Smoke();
        workflow["1"]!["inputs"]!["width"] = 0;
        workflow["3"] = workflow["2"]!.DeepClone();

        var (status, answer) = await session.PostAsync("prompt", new JsonObject { ["prompt"] = workflow }.ToJsonString());

        Assert.Equal(400, status);
        var node = JsonNode.Parse(answer)!["node_errors"]!["1"]!;
        Assert.Equal(("EmptyImage", "[\"2\",\"3\"]"), (node["class_type"]!.GetValue<string>(), node["dependent_outputs"]!.ToJsonString()));
        Assert.Equal(
            """{"type":"value_smaller_than_min","message":"Value 0 smaller than min of 1","details":"width","extra_info":{"input_name":"width","input_config":["INT",{"default":512,"min":1,"max":16384,"step":1}],"received_value":0}}""",
            Assert.Single(node["errors"]!.AsArray())!.ToJsonString());
    }

    [Fact]
    public async Task A_chain_longer_than_Python_can_go_is_refused_and_does_not_end_it()
    {
        await using var session = await ComfySession.StartAsync();
        var workflow = ComfySession.Smoke();
        var before = "1";
        for (var link = 0; link < 20_000; link++)
        {
            workflow[$"s{link}"] = new JsonObject { ["class_type"] = "FluxKontextImageScale", ["inputs"] = new JsonObject { ["image"] = new JsonArray(before, 0) } };
            before = $"s{link}";
        }

        workflow["2"]!["inputs"]!["images"]![0] = before;

        var (status, answer) = await session.PostAsync("prompt", new JsonObject { ["prompt"] = workflow }.ToJsonString());

        Assert.Equal(400, status);
        Assert.Contains("maximum recursion depth exceeded", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_valid_and_an_invalid_output_the_valid_one_is_made()
    {
        await using var session = await ComfySession.StartAsync();
        var workflow = ComfySession.Smoke();
        workflow["3"] = new JsonObject { ["class_type"] = "SaveImage", ["inputs"] = new JsonObject { ["images"] = new JsonArray("1", 0) } };

        var history = await session.RunAsync(workflow);

        Assert.Equal(("success", "2"), (history["status"]!["status_str"]!.GetValue<string>(), Assert.Single(history["outputs"]!.AsObject()).Key));
    }

    [Fact]
    public async Task The_workflow_of_the_model_is_for_the_newer_version_only()
    {
        var body = new JsonObject { ["prompt"] = ComfySession.Workflow("qwen-image-edit-2509") }.ToJsonString();
        await using var older = await ComfySession.StartAsync(new() { Version = "0.3.18" });
        await using var newer = await ComfySession.StartAsync();
        await newer.UploadAsync(ComfySession.Reference(), "comfyauth_reference.png");

        Assert.Contains("CFGNorm does not exist", (await older.PostAsync("prompt", body)).Body, StringComparison.Ordinal);
        Assert.Equal(200, (await newer.PostAsync("prompt", body)).Status);
    }

    [Fact]
    public async Task Without_its_files_the_workflow_of_the_model_is_refused_by_name()
    {
        await using var session = await ComfySession.StartAsync(new() { Models = new Dictionary<string, IReadOnlyList<string>> { ["vae"] = ["qwen_image_vae.safetensors"] } });
        await session.UploadAsync(ComfySession.Reference(), "comfyauth_reference.png");

        var (status, answer) = await session.PostAsync("prompt", new JsonObject { ["prompt"] = ComfySession.Workflow("qwen-image-edit-2509") }.ToJsonString());

        Assert.Equal((400, "1 value_not_in_list; 4 value_not_in_list"), (status, Summary(JsonNode.Parse(answer)!["node_errors"]!)));
    }

    /// <summary>The nodes in their order, each with the types of its errors; brackets and braces where there are none.</summary>
    private static string Summary(JsonNode errors) => errors is JsonObject { Count: > 0 } nodes
        ? string.Join("; ", nodes.OrderBy(node => node.Key, StringComparer.Ordinal).Select(node => $"{node.Key} {string.Join(' ', node.Value!["errors"]!.AsArray().Select(error => error!["type"]))}"))
        : errors.ToJsonString(JsonSerializerOptions.Default);
}
