using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ComfyAuth.Files;
using ComfyAuth.Tests;

namespace ComfyAuth.Cli.Tests;

public sealed class EmulateTests : IDisposable
{
    private const string Smoke = """{"prompt":{"1":{"class_type":"EmptyImage","inputs":{"width":8,"height":8,"batch_size":1,"color":0}},"2":{"class_type":"SaveImage","inputs":{"images":["1",0],"filename_prefix":"x"}}}}""";

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly CancellationToken _stop = TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task It_serves_with_a_new_password_in_files_of_the_owner_until_Ctrl_C()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals");
        using var cli = CliProcess.StartTalking(_folder.Path, "emulate", "--json");
        var where = JsonNode.Parse(await cli.ReadLineAsync())!;
        var address = new Uri(where["address"]!.GetValue<string>());
        var (passwordFile, webPasswordFile, images) = (Text("passwordFile"), Text("webPasswordFile"), Text("folder"));
        var token = File.ReadLines(passwordFile).First();
        var password = File.ReadAllText(webPasswordFile);

        Assert.True(address.IsLoopback);
        Assert.True(FilePermissions.IsOwnerOnly(passwordFile) && FilePermissions.IsOwnerOnly(webPasswordFile));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(address, "system_stats"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(address, "system_stats", token));
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("password", password)]);
        using var login = await _http.PostAsync(new Uri(address, "login"), form, _stop);
        Assert.Equal("/", login.Headers.Location?.ToString());

        await cli.InterruptAsync();
        var result = await cli.EndAsync();

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.Single(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain(token, result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(password, result.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(passwordFile) || File.Exists(webPasswordFile) || Directory.Exists(images));

        string Text(string name) => where[name]!.GetValue<string>();
    }

    [Fact]
    public async Task It_tells_people_where_it_is_and_keeps_the_images_where_it_is_told_to()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals");
        using var cli = CliProcess.StartTalking(_folder.Path, "emulate", "--no-login", "--version", "0.3.18", "--folder", "images", "--vram", "8", "--free-vram", "1.5");
        var address = Address(await cli.ReadLineAsync(), "ComfyUI 0.3.18 without a login, emulated: ");

        var device = JsonNode.Parse(await _http.GetStringAsync(new Uri(address, "system_stats"), _stop))!["devices"]![0]!;
        Assert.Equal((8L << 30, 3L << 29), (device["vram_total"]!.GetValue<long>(), device["vram_free"]!.GetValue<long>()));
        Assert.Equal("success", (await RunAsync(address))["status_str"]!.GetValue<string>());
        await cli.InterruptAsync();
        var result = await cli.EndAsync();

        Assert.Equal([$"Images: {_folder.PathOf("images")}", "Ctrl+C stops it."], result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..]);
        Assert.True(File.Exists(_folder.PathOf("images/output/x_00001_.png")));
    }

    [Fact]
    public async Task It_goes_wrong_as_it_is_told_to()
    {
        using (var failing = CliProcess.StartTalking(_folder.Path, "emulate", "--no-login", "--fail", "SaveImage", "--errors", "0.5", "--folder", "images"))
        {
            var address = Address(await failing.ReadLineAsync(), "ComfyUI 0.3.64 without a login, emulated: ");
            var answers = new List<HttpStatusCode>();
            for (var request = 0; request < 4; request++)
                answers.Add(await StatusAsync(address, "queue"));
            Assert.Equal([HttpStatusCode.OK, HttpStatusCode.InternalServerError, HttpStatusCode.OK, HttpStatusCode.InternalServerError], answers);
            Assert.Equal("error", (await RunAsync(address))["status_str"]!.GetValue<string>());
        }

        using (var booting = CliProcess.StartTalking(_folder.Path, "emulate", "--no-login", "--boot", "1h", "--folder", "images"))
        {
            var address = Address(await booting.ReadLineAsync(), "ComfyUI 0.3.64 without a login, emulated: ");
            await Assert.ThrowsAsync<HttpRequestException>(() => StatusAsync(address, "queue"));
        }
    }

    [Fact]
    public async Task It_serves_stand_ins_of_the_models_from_a_hub()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals");
        using var cli = CliProcess.StartTalking(_folder.Path, "emulate", "--no-login", "--hub", "--json", "--folder", "images");
        var where = JsonNode.Parse(await cli.ReadLineAsync())!;
        var model = where["models"]!.AsArray()[^1]!;
        var address = new Uri(new Uri(where["hub"]!.GetValue<string>()), $"{model["repository"]}/resolve/main/{model["pathInRepository"]}");

        using var redirect = await _http.GetAsync(address, _stop);
        var bytes = await _http.GetByteArrayAsync(redirect.Headers.Location, _stop);

        Assert.Equal((3, 253_806), (where["models"]!.AsArray().Count, bytes.Length));
        Assert.Equal(model["sha256"]!.GetValue<string>(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        await cli.InterruptAsync();
        Assert.Equal(0, (await cli.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task A_password_file_that_the_node_cannot_read_is_told_of()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals");
        Directory.CreateDirectory(_folder.PathOf("PASSWORD"));
        using var cli = CliProcess.StartTalking(_folder.Path, "emulate", "--password-file", "PASSWORD");
        var address = Address(await cli.ReadLineAsync(), "ComfyUI 0.3.64 with ComfyUI-Login, emulated: ");

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(address, "system_stats"));
        await cli.ReadErrorsUntilAsync("Everything is open: Cannot import");
        await cli.InterruptAsync();
        Assert.Equal(0, (await cli.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task A_port_that_is_taken_and_a_class_that_is_not_there_end_it_and_leave_nothing()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var temporary = Directory.CreateDirectory(_folder.PathOf("temporary")).FullName;
        foreach (var (option, value, message) in new[] { ("--port", $"{((IPEndPoint)listener.LocalEndpoint).Port}", "address already in use"), ("--hang", "Nowhere", "has no nodes of the class 'Nowhere'") })
        {
            using var cli = CliProcess.StartWithTemporaryFolder(temporary, _folder.Path, "emulate", option, value);
            var result = await cli.EndAsync();
            Assert.Equal((3, ""), (result.ExitCode, result.Output));
            Assert.Contains(message, result.Errors, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFileSystemEntries(temporary));
        }
    }

    [Theory]
    [InlineData("--port", "70000")]
    [InlineData("--port", "http")]
    [InlineData("--errors", "2")]
    [InlineData("--errors", "NaN")]
    [InlineData("--vram", "-1")]
    [InlineData("--free-vram", "25")]
    [InlineData("--version", "1.0")]
    [InlineData("--boot", "soon")]
    [InlineData("--password-file", "")]
    [InlineData("--no-login", "--password-file", "x")]
    public async Task A_wrong_command_line_starts_nothing(params string[] arguments)
    {
        var result = await CliProcess.RunAsync(_folder.Path, ["emulate", .. arguments]);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.NotEqual("", result.Errors);
    }

    private static Uri Address(string line, string before)
    {
        Assert.StartsWith(before, line, StringComparison.Ordinal);
        return new(line[before.Length..]);
    }

    private async Task<HttpStatusCode> StatusAsync(Uri address, string target, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, target));
        if (token is not null)
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using var response = await _http.SendAsync(request, _stop);
        return response.StatusCode;
    }

    /// <summary>Runs the smoke workflow, asking again where a fault is the answer, and gives its status.</summary>
    private async Task<JsonNode> RunAsync(Uri address)
    {
        var id = "";
        while (true)
        {
            using var body = new StringContent(Smoke, Encoding.UTF8, "application/json");
            using var response = id.Length == 0
                ? await _http.PostAsync(new Uri(address, "prompt"), body, _stop)
                : await _http.GetAsync(new Uri(address, $"history/{id}"), _stop);
            if (!response.IsSuccessStatusCode)
                continue;
            var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(_stop))!;
            if (id.Length == 0)
                id = answer["prompt_id"]!.GetValue<string>();
            else if (answer[id] is { } done)
                return done["status"]!;
        }
    }
}
