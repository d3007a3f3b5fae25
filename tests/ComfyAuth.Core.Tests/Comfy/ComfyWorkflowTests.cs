using System.Text.Json;
using System.Text.Json.Nodes;
using ComfyAuth.Comfy;
using CsCheck;

namespace ComfyAuth.Tests.Comfy;

public sealed class ComfyWorkflowTests
{
    private const string Text = """
        {
          "1": { "class_type": "CheckpointLoaderSimple", "inputs": { "ckpt_name": "model.safetensors" } },
          "2": { "class_type": "CLIPTextEncode", "inputs": { "clip": ["1", 1], "text": "a cat" }, "_meta": { "title": "Positive" } },
          "3": { "class_type": "CLIPTextEncode", "inputs": { "clip": ["1", 1], "text": "" }, "_meta": { "title": "v1.0 negative" } },
          "4": { "class_type": "EmptyLatentImage", "inputs": { "width": 512, "height": 512, "batch_size": 1 } },
          "5": { "class_type": "KSampler", "inputs": { "model": ["1", 0], "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "seed": 42, "steps": 20, "cfg": 7.5, "sampler_name": "euler" } },
          "6": { "class_type": "VAEDecode", "inputs": { "samples": ["5", 0], "vae": ["1", 2] } },
          "7": { "class_type": "SaveImage", "inputs": { "images": ["6", 0], "filename_prefix": "x" } },
          "8": { "class_type": "LoadImage", "inputs": { "image": "here.png" } }
        }
        """;

    private const string Info = """
        {
          "CheckpointLoaderSimple": { "input": { "required": { "ckpt_name": [["model.safetensors", "sub\\other.safetensors"]] } }, "output": ["MODEL", "CLIP", "VAE"] },
          "CLIPTextEncode": { "input": { "required": { "clip": ["CLIP"], "text": ["STRING", {}] } }, "output": ["CONDITIONING"] },
          "EmptyLatentImage": { "input": { "required": { "width": ["INT", {"min":16,"max":16384}], "height": ["INT", {"min":16,"max":16384}], "batch_size": ["INT", {"min":1}] } }, "output": ["LATENT"] },
          "KSampler": { "input": { "required": { "model": ["MODEL"], "positive": ["CONDITIONING"], "negative": ["CONDITIONING"], "latent_image": ["LATENT"], "seed": ["INT", {"min":0,"max":18446744073709551615}],
            "steps": ["INT", {"min":1,"max":10000}], "cfg": ["FLOAT", {"min":0.0,"max":100.0}], "sampler_name": ["COMBO", {"options":["euler","heun"]}] }, "optional": { "denoise": ["FLOAT", {"max":1}] } }, "output": ["LATENT"] },
          "VAEDecode": { "input": { "required": { "samples": ["LATENT"], "vae": ["VAE"] } }, "output": ["IMAGE"] },
          "SaveImage": { "input": { "required": { "images": ["IMAGE,MASK"], "filename_prefix": ["STRING"] } }, "output": [], "output_node": true },
          "LoadImage": { "input": { "required": { "image": [["here.png"], {"image_upload":true}] } }, "output": ["IMAGE", "MASK"] }
        }
        """;

    private static readonly ComfyObjectInfo Server = ComfyObjectInfo.Read(JsonDocument.Parse(Info).RootElement);

    [Fact]
    public void Nodes_have_id_class_and_title_and_the_first_seed_is_told()
    {
        var workflow = ComfyWorkflow.Parse("\uFEFF" + Text, "flow.json");

        Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8"], workflow.Nodes.Select(node => node.Id));
        Assert.Equal(("2", "CLIPTextEncode", "Positive"), workflow.Nodes[1] is var node ? (node.Id, node.Class, node.Title) : default);
        Assert.Equal(["clip", "text"], workflow.Nodes[1].InputNames);
        Assert.Equal((42, "flow.json"), (workflow.Seed, workflow.Name));
        Assert.Null(ComfyWorkflow.Parse("""{"1":{"class_type":"A"}}""").Seed);
    }

    [Fact]
    public void What_is_posted_to_the_server_is_a_workflow_too() =>
        Assert.Equal(8, ComfyWorkflow.Parse($"{{\"prompt\":{Text},\"client_id\":\"x\"}}").Nodes.Count);

    [Theory]
    [InlineData("""{"last_node_id":9,"nodes":[{"id":1}],"links":[],"version":0.4}""")]
    [InlineData("""{"nodes":[],"links":[]}""")]
    [InlineData("""{"id":"x","revision":0,"nodes":[{"id":1,"type":"KSampler"}],"version":1}""")]
    public void The_format_of_the_window_is_told_and_how_to_export_the_other(string text)
    {
        var error = Assert.Throws<ComfyAuthException>(() => ComfyWorkflow.Parse(text, "flow.json"));

        Assert.Equal("WorkflowNotApiFormat", error.Code);
        Assert.Contains("'flow.json'", error.Message, StringComparison.Ordinal);
        Assert.Contains("Export (API)", error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no JSON")]
    [InlineData("{", "no JSON")]
    [InlineData("{\n  \"1\": {,\n}", "line 2")]
    [InlineData("""{"1":{"class_type":"A"},"1":{"class_type":"B"}}""", "no JSON")]
    [InlineData("""{"1":{"class_type":"A","inputs":{"a":1,"a":2}}}""", "no JSON")]
    [InlineData("null", "no object")]
    [InlineData("[]", "no object")]
    [InlineData("7", "no object")]
    [InlineData("{}", "no nodes")]
    [InlineData("""{"1":{}}""", "'1' is no node")]
    [InlineData("""{"1":7}""", "'1' is no node")]
    [InlineData("""{"1":null}""", "'1' is no node")]
    [InlineData("""{"1":{"class_type":7}}""", "'1' is no node")]
    [InlineData("""{"1":{"class_type":"A","inputs":[]}}""", "inputs of node 1")]
    [InlineData("""{"1":{"class_type":"\ud800","inputs":{}}}""", "no JSON")]
    public void What_is_no_workflow_is_told_with_the_reason(string text, string reason)
    {
        var error = Assert.Throws<ComfyAuthException>(() => ComfyWorkflow.Parse(text));

        Assert.Equal("WorkflowMalformed", error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(error.Remedy);
    }

    [Fact]
    public void Depth_does_not_exhaust_the_stack() =>
        Assert.Equal("WorkflowMalformed", Assert.Throws<ComfyAuthException>(() => ComfyWorkflow.Parse(string.Concat(Enumerable.Repeat("{\"a\":", 100_000)))).Code);

    [Fact]
    public void Any_text_is_a_workflow_or_an_error_of_ours() => Gen.String[Gen.Char["{}[]\":,1a \n\\u"], 0, 60].Sample(
        text =>
        {
            try
            {
                Assert.NotEmpty(ComfyWorkflow.Parse(text).Nodes);
            }
            catch (ComfyAuthException error)
            {
                Assert.StartsWith("Workflow", error.Code, StringComparison.Ordinal);
            }
        },
        iter: 2000);

    [Theory]
    [InlineData("5.seed", 7)]
    [InlineData("KSampler.seed", 7L)]
    [InlineData("ksampler.seed", (byte)7)]
    [InlineData("seed", 7)]
    public void An_input_is_set_by_id_class_or_alone(string name, object value)
    {
        var workflow = ComfyWorkflow.Parse(Text);
        var set = workflow.With([new(name, value)]);

        Assert.Equal((7, 42), (set.Seed, workflow.Seed));
    }

    [Theory]
    [InlineData("Positive.text")]
    [InlineData("positive.text")]
    [InlineData("2.text")]
    public void An_input_is_set_by_title(string name) => Assert.Equal("a dog", Value(ComfyWorkflow.Parse(Text).With([new(name, "a dog")]), "2", "text"));

    [Fact]
    public void A_title_may_have_dots() => Assert.Equal("blurry", Value(ComfyWorkflow.Parse(Text).With([new("v1.0 negative.text", "blurry")]), "3", "text"));

    [Fact]
    public void Values_of_every_kind_are_taken()
    {
        var workflow = ComfyWorkflow.Parse(Text).With(
        [
            new("5.seed", 18446744073709551615), new("5.steps", "30"), new("5.cfg", 1.5m), new("4.width", JsonDocument.Parse("640").RootElement), new("4.height", JsonValue.Create(320)),
            new("2.text", null), new("3.text", true), new("6.samples", new object[] { "4", 0 }),
        ]);

        Assert.Equal("18446744073709551615", workflow.ToJson()["5"]!["inputs"]!["seed"]!.ToJsonString());
        Assert.Equal("30", Value(workflow, "5", "steps"));
        Assert.Equal("""[1.5,640,320,null,true,["4",0]]""", new JsonArray(At("5", "cfg"), At("4", "width"), At("4", "height"), At("2", "text"), At("3", "text"), At("6", "samples")).ToJsonString());

        JsonNode? At(string node, string input) => workflow.ToJson()[node]!["inputs"]![input]?.DeepClone();
    }

    [Theory]
    [InlineData("text", "WorkflowInputAmbiguous", "2.text (CLIPTextEncode, 'Positive'), 3.text (CLIPTextEncode, 'v1.0 negative')", "such as 2.text")]
    [InlineData("CLIPTextEncode.text", "WorkflowInputAmbiguous", "2.text", "3.text")]
    [InlineData("KSampler.sead", "WorkflowInputUnknown", "no such node has an input 'sead'", "Did you mean 'seed'?")]
    [InlineData("5.sead", "WorkflowInputUnknown", "node 5 (KSampler) has no input 'sead'", "Did you mean 'seed'?")]
    [InlineData("KSampeler.seed", "WorkflowInputUnknown", "'KSampeler'", "Did you mean 'KSampler'?")]
    [InlineData("99.seed", "WorkflowInputUnknown", "'99'", "There are: 1, ")]
    [InlineData("", "WorkflowInputUnknown", "''", "There are: ")]
    [InlineData(".", "WorkflowInputUnknown", "'.'", "There are: ")]
    [InlineData("5.", "WorkflowInputUnknown", "'5.'", "There are: ")]
    public void A_name_that_means_none_or_several_is_an_error_with_the_nearest(string name, string code, string message, string remedy)
    {
        var error = Assert.Throws<ComfyAuthException>(() => ComfyWorkflow.Parse(Text).With([new(name, 1)]));

        Assert.Equal(code, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, $"{error.Message} {error.Remedy}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void What_no_JSON_can_hold_is_an_error(object value) =>
        Assert.Equal("WorkflowInputInvalid", Assert.Throws<ComfyAuthException>(() => ComfyWorkflow.Parse(Text).With([new("5.cfg", value)])).Code);

    [Fact]
    public void An_object_is_no_value() =>
        Assert.Equal("WorkflowInputInvalid", Assert.Throws<ComfyAuthException>(() => ComfyWorkflow.Parse(Text).With([new("5.cfg", new Dictionary<string, int>())])).Code);

    [Fact]
    public void A_workflow_that_the_server_can_run_has_no_problem() => Assert.Empty(Problems(_ => { }));

    [Theory]
    [InlineData("5.steps", "0", "node 5 (KSampler), input steps: 0 is not between 1 and 10000")]
    [InlineData("5.steps", "\"many\"", "node 5 (KSampler), input steps: 'many' is no number")]
    [InlineData("5.steps", "null", "node 5 (KSampler), input steps: '' is no number")]
    [InlineData("5.cfg", "100.5", "node 5 (KSampler), input cfg: 100.5 is not between 0 and 100")]
    [InlineData("5.denoise", "1.01", "node 5 (KSampler), input denoise: 1.01 is not between -Infinity and 1")]
    [InlineData("5.sampler_name", "\"Euler a\"", "node 5 (KSampler), input sampler_name: 'Euler a' is none of its choices")]
    [InlineData("1.ckpt_name", "\"modle.safetensors\"", "node 1 (CheckpointLoaderSimple), input ckpt_name: the checkpoint 'modle.safetensors' is missing")]
    [InlineData("1.ckpt_name", "\"sub/other.safetensors\"", "node 1 (CheckpointLoaderSimple), input ckpt_name: the server has no 'sub/other.safetensors'")]
    [InlineData("5.model", "[\"77\",0]", "node 5 (KSampler), input model: it links to node 77, which does not exist")]
    [InlineData("5.model", "[\"1\",3]", "node 5 (KSampler), input model: it links to output 3 of node 1 (CheckpointLoaderSimple), which has 3")]
    [InlineData("5.model", "[\"1\",1]", "node 5 (KSampler), input model: it takes MODEL, and output 1 of node 1 (CheckpointLoaderSimple) gives CLIP")]
    [InlineData("5.model", "\"model.safetensors\"", "node 5 (KSampler), input model: it takes a link to a MODEL, and has a value")]
    [InlineData("5.seed", "[1,2,3]", "node 5 (KSampler), input seed: it is a list, and no link of node id and output")]
    [InlineData("6.samples", "[\"6\",0]", "node 6 (VAEDecode), input samples: it takes LATENT, and output 0 of node 6 (VAEDecode) gives IMAGE")]
    public void What_the_server_would_refuse_is_told_before(string input, string value, string problem)
    {
        var parts = input.Split('.');
        var found = Problems(nodes => nodes[parts[0]]!["inputs"]![parts[1]] = JsonNode.Parse(value));

        Assert.Equal(problem, found[0].ToString());
        Assert.NotEmpty(found[0].Remedy);
    }

    [Theory]
    [InlineData("5.steps", "\"30\"")]
    [InlineData("5.seed", "18446744073709551615")]
    [InlineData("7.images", "[\"8\",1]")]
    [InlineData("8.image", "\"sub/picture.png\"")]
    [InlineData("8.image", "\"picture.png [output]\"")]
    [InlineData("5.unknown", "1")]
    public void What_the_server_takes_is_no_problem(string input, string value)
    {
        var parts = input.Split('.');
        Assert.Empty(Problems(nodes => nodes[parts[0]]!["inputs"]![parts[1]] = JsonNode.Parse(value)));
    }

    [Fact]
    public void A_missing_input_is_told_with_how_to_give_it()
    {
        var problem = Assert.Single(Problems(nodes => nodes["5"]!["inputs"]!.AsObject().Remove("seed")));

        Assert.Equal("node 5 (KSampler), input seed: it is required and not given", problem.ToString());
        Assert.Contains("5.seed", problem.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_custom_node_is_told_by_its_class_and_before_everything_else()
    {
        var problems = Problems(nodes =>
        {
            nodes["5"]!["class_type"] = "KSamplr";
            nodes["1"]!["inputs"]!["ckpt_name"] = "missing";
        });

        var problem = Assert.Single(problems);
        Assert.Equal("node 5 (KSamplr): the server has no class 'KSamplr'", problem.ToString());
        Assert.StartsWith("Did you mean 'KSampler'? Install the custom node that brings KSamplr", problem.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_model_names_the_folder_it_belongs_into() =>
        Assert.Equal(
            "Did you mean 'model.safetensors'? Put the file into models/checkpoints of ComfyUI. There are: model.safetensors, sub\\other.safetensors.",
            Assert.Single(Problems(nodes => nodes["1"]!["inputs"]!["ckpt_name"] = "modle.safetensors")).Remedy);

    [Fact]
    public void A_picture_that_is_nowhere_is_told() =>
        Assert.Contains("neither a file of this machine nor one of the server's", Assert.Single(Problems(nodes =>
        {
            nodes["8"]!["inputs"]!["image"] = "there.png";
            nodes["7"]!["inputs"]!["images"] = new JsonArray("8", 0);
        })).Reason, StringComparison.Ordinal);

    [Fact]
    public void What_no_output_needs_is_not_looked_at() => Assert.Empty(Problems(nodes => nodes["8"]!["inputs"]!["image"] = 7));

    [Fact]
    public void A_workflow_without_an_output_and_one_that_needs_itself_are_told()
    {
        Assert.Contains("gives something out", Assert.Single(Problems(nodes => nodes.Remove("7"))).Reason, StringComparison.Ordinal);
        Assert.Contains("its own result", Assert.Single(Problems(nodes =>
        {
            nodes["4"]!["class_type"] = "KSampler";
            nodes["4"]!["inputs"] = nodes["5"]!["inputs"]!.DeepClone();
            nodes["4"]!["inputs"]!["latent_image"] = new JsonArray("5", 0);
        })).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_an_error()
    {
        using var folder = new TemporaryFolder();
        foreach (var path in new[] { folder.Path, folder.PathOf("nowhere.json") })
            Assert.Equal("LocalFileUnreadable", (await Assert.ThrowsAsync<ComfyAuthException>(() => ComfyWorkflow.ReadAsync(path, TestContext.Current.CancellationToken))).Code);
        folder.Write("flow.json", Text);
        Assert.Equal(8, (await ComfyWorkflow.ReadAsync(folder.PathOf("flow.json"), TestContext.Current.CancellationToken)).Nodes.Count);
    }

    private static IReadOnlyList<ComfyWorkflowProblem> Problems(Action<JsonObject> change)
    {
        var nodes = JsonNode.Parse(Text)!.AsObject();
        change(nodes);
        return ComfyWorkflowValidator.Validate(ComfyWorkflow.Parse(nodes.ToJsonString()), Server);
    }

    private static string? Value(ComfyWorkflow workflow, string node, string input) => (string?)workflow.ToJson()[node]!["inputs"]![input];
}
