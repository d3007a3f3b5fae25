using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using ComfyAuth.Emulator.Comfy;

namespace ComfyAuth.Emulator.Tests.Comfy;

/// <summary>A server, and somebody who talks to it over HTTP.</summary>
internal sealed class ComfySession : IAsyncDisposable
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private ComfySession(EmulatedComfyUI server)
    {
        Server = server;
        Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = server.Address };
    }

    public EmulatedComfyUI Server { get; }

    public HttpClient Http { get; }

    public static async Task<ComfySession> StartAsync(ComfyUIOptions? options = null) => new(await EmulatedComfyUI.StartAsync(options, Stop));

    /// <summary>A workflow of the examples.</summary>
    public static JsonObject Workflow(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "workflows", $"{name}.api.json")))!.AsObject();

    /// <summary>The smoke workflow with another colour: a job of its own.</summary>
    public static JsonObject Smoke(int color = 0x336699)
    {
        var workflow = Workflow("smoke");
        workflow["1"]!["inputs"]!["color"] = color;
        return workflow;
    }

    /// <summary>Stripes that run from dark to light: neither flat nor noise.</summary>
    public static byte[] Reference(int width = 96, int height = 96)
    {
        var rgb = new byte[width * height * 3];
        for (var at = 0; at < rgb.Length; at++)
            rgb[at] = (byte)((at / 3 % width * 255 / width) + (at % 3));
        return PngFile.Write(new(width, height, rgb));
    }

    public async Task<JsonNode> GetAsync(string target) => JsonNode.Parse(await Http.GetStringAsync(target, Stop))!;

    public async Task<int> StatusAsync(string target)
    {
        using var response = await Http.GetAsync(target, Stop);
        return (int)response.StatusCode;
    }

    public async Task<(int Status, string Body)> PostAsync(string target, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync(target, content, Stop);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(Stop));
    }

    public async Task<JsonNode> SubmitAsync(JsonObject workflow, string? clientId = null, bool toFront = false)
    {
        using var response = await Http.PostAsync("prompt", JsonContent.Create(new JsonObject { ["prompt"] = workflow.DeepClone(), ["client_id"] = clientId, ["front"] = toFront }), Stop);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(Stop))!;
        Assert.True(response.IsSuccessStatusCode, answer.ToJsonString());
        return answer;
    }

    public async Task<string> SubmitForIdAsync(JsonObject workflow, string? clientId = null, bool toFront = false) =>
        (await SubmitAsync(workflow, clientId, toFront))["prompt_id"]!.GetValue<string>();

    /// <summary>Runs a workflow to its end, which the websocket tells, and gives its part of the history.</summary>
    public async Task<JsonNode> RunAsync(JsonObject workflow)
    {
        await using var listener = await ComfyListener.ConnectAsync(Server.Address, Guid.NewGuid().ToString("N"));
        var id = await SubmitForIdAsync(workflow, listener.ClientId);
        await listener.UntilDoneAsync();
        return (await GetAsync($"history/{id}"))[id]!;
    }

    public async Task<(int Status, JsonNode? Body)> UploadAsync(byte[] content, string name, params (string Name, string Value)[] fields)
    {
        using var form = new MultipartFormDataContent();
        foreach (var (field, value) in fields)
            form.Add(new StringContent(value), field);
        var file = new ByteArrayContent(content);
        file.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        form.Add(file, "image", name);
        using var response = await Http.PostAsync("upload/image", form, Stop);
        var body = await response.Content.ReadAsStringAsync(Stop);
        return ((int)response.StatusCode, body.StartsWith('{') ? JsonNode.Parse(body) : null);
    }

    /// <summary>The picture that a finished prompt wrote.</summary>
    public async Task<Picture> PictureAsync(JsonNode history, string node) => PngFile.Read(await Http.GetByteArrayAsync(Target(history, node), Stop));

    /// <summary>Where <c>/view</c> has the picture that a finished prompt wrote.</summary>
    public static string Target(JsonNode history, string node)
    {
        var image = history["outputs"]![node]!["images"]![0]!;
        return string.Create(CultureInfo.InvariantCulture, $"view?filename={image["filename"]}&subfolder={image["subfolder"]}&type={image["type"]}");
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
    }
}
