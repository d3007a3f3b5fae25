using System.Text.Json;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Reports;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Tokens;

namespace ComfyAuth.Emulator.Tests.Tokens;

public sealed class LiveTokenAuditorTests
{
    private const string Restart = "Restart-GenAIContainer -Service comfyui-qwen";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_sound_stack_matches_on_all_four_layers()
    {
        await using var live = await LayeredStack.StartAsync();

        var seen = await live.AuditAsync();

        Assert.All(seen, observation => Assert.Equal((TokenState.Match, ""), (observation.State, observation.Remedy)));
        Assert.Equal(Enum.GetValues<TokenLayer>(), seen.Select(observation => observation.Layer).Distinct());
        Assert.Equal(
            ["comfyui-qwen#COMFYUI_BEARER_TOKEN", "comfyui-qwen#COMFYUI_PASSWORD", "comfyui-qwen#COMFYUI_USERNAME", LayeredStack.PasswordLocation, live.Address],
            seen.Where(observation => observation.Layer != TokenLayer.File).Select(observation => observation.Location));
        Assert.All(seen.Where(observation => observation.Role == TokenRole.Hash), observation => Assert.Equal(live.Credential.Hash.Fingerprint, observation.Fingerprint));
    }

    [Fact]
    public async Task What_is_seen_is_summed_up_with_the_files()
    {
        await using var live = await LayeredStack.StartAsync();
        var files = live.Files.Validate();

        var sound = Assert.Single((await live.Auditor().LookAsync(live.Files.Stack, null, Stop)).Validations);
        live.SetVariable("COMFYUI_BEARER_TOKEN", live.Older.Text);
        var broken = Assert.Single((await live.Auditor().LookAsync(live.Files.Stack, null, Stop)).Validations);

        Assert.Equal((true, files.Matching + 5, 0, 0), (sound.IsValid, sound.Matching, sound.Faulty, sound.Undetermined));
        Assert.Equal((false, files.Matching + 4, 1), (broken.IsValid, broken.Matching, broken.Faulty));
        Assert.StartsWith(LayeredStack.TokenLocation + ": NotRecreated.", Assert.Single(broken.Findings), StringComparison.Ordinal);
    }

    // The environment of the container.
    [Fact]
    public async Task A_container_that_was_made_before_the_change_is_to_be_recreated()
    {
        await using var live = await LayeredStack.StartAsync();
        live.SetVariable("COMFYUI_BEARER_TOKEN", live.Older.Text);

        var seen = await live.SeenAsync(LayeredStack.TokenLocation);

        Assert.Equal((TokenState.NotRecreated, true, live.Older.Hash.Fingerprint, live.Credential.Hash.Fingerprint), (seen.State, seen.IsFault, seen.Fingerprint, seen.Expected));
        Assert.StartsWith(Restart + " recreates", seen.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("COMFYUI_BEARER_TOKEN")]
    [InlineData("COMFYUI_PASSWORD")]
    [InlineData("COMFYUI_USERNAME")]
    public async Task A_variable_that_the_container_does_not_have_yet_is_to_be_given_it(string name)
    {
        await using var live = await LayeredStack.StartAsync();
        live.SetVariable(name, null);

        Assert.Equal(TokenState.NotRecreated, (await live.SeenAsync($"{LayeredStack.Container}#{name}")).State);
    }

    [Fact]
    public async Task What_compose_cut_and_would_cut_again_is_truncated_and_recreating_alone_does_not_help()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Files.Replace(SampleStack.ServiceEnv, $"'{live.Credential.Text}'", live.Credential.Text);
        live.SetVariable("COMFYUI_BEARER_TOKEN", "$2b$04" + live.Credential.Text[(live.Credential.Text.LastIndexOfAny(['.', '/']) is > 7 and var cut ? cut : 20)..]);

        var seen = await live.SeenAsync(LayeredStack.TokenLocation);

        Assert.Equal(TokenState.Truncated, seen.State);
        Assert.StartsWith("Synchronise", seen.Remedy, StringComparison.Ordinal);
        Assert.Contains(Restart, seen.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_right_value_that_compose_would_not_give_again_is_a_fault_before_it_is_lost()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Files.Replace($"{SampleStack.Service}/docker-compose.yml", "${COMFYUI_BEARER_TOKEN}", live.Older.Text.Replace("$", "$$", StringComparison.Ordinal));

        var seen = await live.SeenAsync(LayeredStack.TokenLocation);

        Assert.Equal((TokenState.Stale, live.Credential.Hash.Fingerprint), (seen.State, seen.Fingerprint));
        Assert.Contains("the container has the right value", seen.Evidence, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("before it is recreated", seen.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'{hash}'", TokenState.QuotedLiterally)]
    [InlineData("{older}", TokenState.Stale)]
    [InlineData("", TokenState.Missing)]
    [InlineData("changeme", TokenState.Malformed)]
    public async Task A_container_that_compose_did_not_make_is_judged_by_what_it_has(string value, TokenState expected)
    {
        await using var live = await LayeredStack.StartAsync();
        live.Files.Delete($"{SampleStack.Service}/docker-compose.yml");
        live.Change(now => now with { Labels = new Dictionary<string, string>() });
        live.SetVariable("COMFYUI_API_TOKEN", Fill(live, value));

        var seen = await live.SeenAsync($"{LayeredStack.Container}#COMFYUI_API_TOKEN");

        Assert.Equal(expected, seen.State);
        Assert.Contains("Compose, which could recreate it, did not make it", seen.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_that_only_the_container_knows_is_recognised_by_bcrypt()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Files.Delete($"{SampleStack.Service}/docker-compose.yml");
        foreach (var file in new[] { SampleStack.Source, SampleStack.RootEnv, SampleStack.ServiceEnv })
            live.Files.Write(file, file == SampleStack.Source ? $$"""{"version": "1.0", "bcrypt_hash": "{{live.Credential.Text}}"}""" : "");

        var seen = await live.AuditAsync();

        Assert.Equal(TokenState.Match, seen.Single(observation => observation.Location == "comfyui-qwen#COMFYUI_PASSWORD").State);
        Assert.Equal(TokenState.Match, seen.Single(observation => observation.Layer == TokenLayer.Server).State);
    }

    // login/PASSWORD inside the container.
    [Theory]
    [InlineData("{older}\nalice\n", TokenState.Stale)]
    [InlineData("{hash}\r\nalice\r\n", TokenState.CarriageReturn)]
    [InlineData("{hash}\nalice\r\n", TokenState.CarriageReturn)]
    [InlineData("\uFEFF{hash}\nalice\n", TokenState.ByteOrderMark)]
    [InlineData("'{hash}'\nalice", TokenState.QuotedLiterally)]
    [InlineData("{cut}\nalice", TokenState.Truncated)]
    [InlineData("changeme\nalice", TokenState.Malformed)]
    [InlineData("", TokenState.OpenWithoutPassword)]
    [InlineData("\nalice\n", TokenState.OpenWithoutPassword)]
    [InlineData("{hash}", TokenState.Match)]
    [InlineData("{hash}\nbob", TokenState.Match)]
    public async Task PASSWORD_in_the_container_is_judged_as_a_file_is_and_only_by_its_first_line(string content, TokenState expected)
    {
        await using var live = await LayeredStack.StartAsync();
        live.WritePassword(Fill(live, content));

        var seen = await live.SeenAsync(LayeredStack.PasswordLocation);

        Assert.Equal((expected, expected != TokenState.Match), (seen.State, seen.IsFault));
        Assert.Equal(expected == TokenState.Match, seen.Remedy.Length == 0);
    }

    [Fact]
    public async Task PASSWORD_that_is_missing_lets_everybody_in_after_the_next_start()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Put(LayeredStack.Password, null);

        var seen = await live.SeenAsync(LayeredStack.PasswordLocation);

        Assert.Equal(TokenState.OpenWithoutPassword, seen.State);
        Assert.Contains("empty token has full access", seen.Evidence, StringComparison.Ordinal);
        Assert.Contains("after the next start", seen.Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_where_PASSWORD_belongs_is_a_fault()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Put(LayeredStack.Password, EmulatedFile.Directory);

        var seen = await live.SeenAsync(LayeredStack.PasswordLocation);

        Assert.Equal(TokenState.IsDirectory, seen.State);
        Assert.Contains("delete the folder", seen.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, TokenState.IsDirectory, "delete the folder")]
    [InlineData("utf-16", TokenState.Malformed, "Stop the container until the file is right (Stop-GenAIContainer -Service comfyui-qwen).")]
    [InlineData("latin1", TokenState.Malformed, "Stop the container until the file is right (Stop-GenAIContainer -Service comfyui-qwen).")]
    public async Task PASSWORD_that_keeps_the_login_from_loading_is_told_of_as_open(string? encoding, TokenState expected, string remedy)
    {
        await using var live = await LayeredStack.StartAsync();
        if (encoding is null)
        {
            live.Put(LayeredStack.Password, EmulatedFile.Directory);
        }
        else
        {
            var text = System.Text.Encoding.GetEncoding(encoding);
            live.Put(LayeredStack.Password, new((byte[])[.. text.GetPreamble(), .. text.GetBytes($"{live.Credential.Text}\nélodie\n")]) { ModifiedAt = LayeredStack.Start.AddMinutes(-5) });
        }

        // The server has not read it yet.
        var before = await live.SeenAsync(LayeredStack.PasswordLocation);
        live.BreakServer();
        var after = await live.AuditAsync();

        var file = after.Single(seen => seen.Location == LayeredStack.PasswordLocation);
        var server = after.Single(seen => seen.Layer == TokenLayer.Server);
        Assert.All([before, file], seen => Assert.Equal((expected, true), (seen.State, seen.IsFault)));
        Assert.All([before, file], seen => Assert.Contains("a server that starts so lets everybody in, without a token", seen.Evidence, StringComparison.Ordinal));
        Assert.EndsWith("it will be open after the next start.", before.Evidence, StringComparison.Ordinal);
        Assert.EndsWith("without a token.", file.Evidence, StringComparison.Ordinal);
        Assert.Contains(remedy, file.Remedy, StringComparison.Ordinal);
        Assert.Equal((TokenState.AcceptedWrongly, $"Mend {file.Location} first: {file.Remedy}"), (server.State, server.Remedy));
    }

    [Fact]
    public async Task A_change_that_the_server_has_not_read_yet_asks_for_a_restart_and_for_nothing_else()
    {
        await using var live = await LayeredStack.StartAsync();
        live.RestartServer($"{live.Older.Text}\nalice\n");
        live.WritePassword($"{live.Credential.Text}\nalice\n", afterStart: TimeSpan.FromMinutes(5));

        var seen = await live.AuditAsync();

        var file = seen.Single(observation => observation.Layer == TokenLayer.ContainerFile);
        var server = seen.Single(observation => observation.Layer == TokenLayer.Server);
        Assert.Equal((TokenState.NotLoadedSinceStart, TokenState.RefusedByServer), (file.State, server.State));
        Assert.All([file, server], observation => Assert.Equal($"Restart the server: {Restart}.", observation.Remedy));

        live.RestartServer($"{live.Credential.Text}\nalice\n");
        Assert.All(await live.AuditAsync(), observation => Assert.Equal(TokenState.Match, observation.State));
    }

    [Fact]
    public async Task A_file_older_than_the_server_has_not_been_loaded_either_where_the_server_takes_the_old_token()
    {
        await using var live = await LayeredStack.StartAsync();
        live.RestartServer($"{live.Older.Text}\nalice\n");
        live.SetVariable("COMFYUI_BEARER_TOKEN", live.Older.Text);

        var seen = await live.AuditAsync();

        Assert.Equal(TokenState.NotLoadedSinceStart, seen.Single(observation => observation.Layer == TokenLayer.ContainerFile).State);
        Assert.Equal(live.Older.Hash.Fingerprint, seen.Single(observation => observation.Layer == TokenLayer.Server).Fingerprint);
    }

    [Fact]
    public async Task Where_the_server_does_not_answer_the_times_tell()
    {
        await using var live = await LayeredStack.StartAsync(isSilent: true);
        live.WritePassword($"{live.Credential.Text}\nalice\n", afterStart: TimeSpan.FromMinutes(5));

        Assert.Equal(TokenState.NotLoadedSinceStart, (await live.SeenAsync(TokenLayer.ContainerFile)).State);
    }

    [Fact]
    public async Task What_a_container_writes_before_it_starts_its_server_will_be_loaded()
    {
        await using var live = await LayeredStack.StartAsync(isSilent: true);
        live.WritePassword($"{live.Credential.Text}\nalice\n", afterStart: TimeSpan.FromMinutes(5));

        // It still installs.
        live.Change(now => now with { Processes = ["bash -lc pip install torch && python main.py", "pip install torch"] });
        var installing = await live.SeenAsync(TokenLayer.ContainerFile);

        // The server has run for two minutes, the container for ten.
        live.Engine.Faults = request => request.Path.Value!.EndsWith("/top", StringComparison.Ordinal)
            ? new() { Answer = new(200, "application/json", """{"Titles": ["PID", "ELAPSED", "COMMAND"], "Processes": [["1", "10:00", "/bin/sh /entrypoint.sh"], ["2", "02:00", "python main.py"]]}""") }
            : null;
        var started = await live.SeenAsync(TokenLayer.ContainerFile);

        Assert.Equal((TokenState.Match, TokenState.Match), (installing.State, started.State));
    }

    [Fact]
    public async Task The_file_of_an_older_login_is_told_of_because_it_wins_at_the_next_start()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Put("/workspace/ComfyUI/PASSWORD", new($"{live.Older.Text}\nalice\n"));

        var seen = await live.SeenAsync($"{LayeredStack.Container}:/workspace/ComfyUI/PASSWORD");

        Assert.Equal(TokenState.Stale, seen.State);
        Assert.Contains("docker exec comfyui-qwen rm /workspace/ComfyUI/PASSWORD", seen.Remedy, StringComparison.Ordinal);
        Assert.Equal(TokenState.Match, (await live.SeenAsync(LayeredStack.PasswordLocation)).State);
    }

    [Fact]
    public async Task A_link_is_followed_and_one_that_leads_nowhere_is_no_file()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Put("/data/PASSWORD", new($"{live.Older.Text}\nalice\n"));
        live.Put(LayeredStack.Password, new("") { LinkTarget = "/data/PASSWORD" });
        Assert.Equal((TokenState.Stale, live.Older.Hash.Fingerprint), (await live.SeenAsync(LayeredStack.PasswordLocation)) is var seen ? (seen.State, seen.Fingerprint) : default);

        live.Put("/data/PASSWORD", null);
        Assert.Equal(TokenState.OpenWithoutPassword, (await live.SeenAsync(LayeredStack.PasswordLocation)).State);

        live.Put("/data/PASSWORD", new("") { LinkTarget = LayeredStack.Password });
        Assert.Equal(TokenState.Unreadable, (await live.SeenAsync(LayeredStack.PasswordLocation)).State);
    }

    /// <summary>Where PASSWORD is put, and what tells that it is there.</summary>
    public static TheoryData<string, string> Places => new()
    {
        { "/srv/painter/login/PASSWORD", "stack" },
        { "/srv/secret", "stack" },
        { "/srv/painter/login/PASSWORD", "mounted file" },
        { "/srv/ComfyUI/login/PASSWORD", "mounted folder" },
        { "/srv/ComfyUI/login/PASSWORD", "mounted program" },
        { "/data/ComfyUI/login/PASSWORD", "workspace" },
        { "/data/ui/login/PASSWORD", "working directory" },
        { "/ComfyUI/login/PASSWORD", "" },
        { "/app/ComfyUI/login/PASSWORD", "" },
    };

    [Theory]
    [MemberData(nameof(Places))]
    public async Task PASSWORD_is_found_elsewhere_too(string path, string how)
    {
        await using var live = await LayeredStack.StartAsync();
        live.Change(now => now with { Files = new Dictionary<string, EmulatedFile> { [path] = new($"{live.Older.Text}\nalice\n") } });
        if (how == "stack")
            live.Files.Replace("comfyauth.yml", "url:", $"passwordFile: {path}, url:");
        if (how.StartsWith("mounted", StringComparison.Ordinal))
        {
            var target = how switch { "mounted file" => path, "mounted folder" => path[..path.LastIndexOf('/')], _ => path[..path.IndexOf("/login", StringComparison.Ordinal)] };
            live.Change(now => now with { Mounts = [new("volume", "cache", "/var/lib/docker/volumes/cache/_data", target, false)] });
        }

        if (how == "workspace")
            live.SetVariable("COMFYUI_WORKSPACE_PATH", "/data");
        if (how == "working directory")
            live.Change(now => now with { WorkingDirectory = "/data/ui" });

        Assert.Equal(TokenState.Stale, (await live.SeenAsync($"{LayeredStack.Container}:{path}")).State);
    }

    [Fact]
    public async Task Where_there_is_no_ComfyUI_nothing_is_known_of_its_password()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Change(now => now with { Files = new Dictionary<string, EmulatedFile> { ["/etc/motd"] = new("hello") } });

        var seen = await live.SeenAsync(TokenLayer.ContainerFile);

        Assert.Equal((TokenState.Unreadable, false), (seen.State, seen.IsFault));
        Assert.Contains("passwordFile", seen.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_archive_is_not_asked_where_the_engine_would_make_a_folder_for_it(bool runs)
    {
        await using var live = await LayeredStack.StartAsync();
        var archives = CountArchives(live);
        live.Change(now => now with
        {
            State = runs ? ContainerState.Running : ContainerState.Exited,
            Mounts = [new("bind", "", live.Files.PathOf("gone/models"), "/models", false), new("bind", "", live.Files.PathOf(SampleStack.PasswordFile), LayeredStack.Password, false)],
        });

        var seen = await live.SeenAsync(LayeredStack.PasswordLocation);

        Assert.Equal((TokenState.Unreadable, 0), (seen.State, archives()));
        Assert.Contains("/models", seen.Evidence, StringComparison.Ordinal);

        Directory.CreateDirectory(live.Files.PathOf("gone/models"));
        Assert.Equal(TokenState.Match, (await live.SeenAsync(LayeredStack.PasswordLocation)).State);
        Assert.NotEqual(0, archives());
    }

    [Fact]
    public async Task A_mounted_PASSWORD_that_is_gone_or_a_folder_is_told_of_without_the_archive()
    {
        await using var live = await LayeredStack.StartAsync();
        var archives = CountArchives(live);
        live.Change(now => now with { Mounts = [new("bind", "", live.Files.PathOf(SampleStack.PasswordFile), LayeredStack.Password, false)] });
        live.Files.Delete(SampleStack.PasswordFile);
        var gone = await live.SeenAsync(LayeredStack.PasswordLocation);
        Directory.CreateDirectory(live.Files.PathOf(SampleStack.PasswordFile));
        var folder = await live.SeenAsync(LayeredStack.PasswordLocation);

        Assert.Equal((TokenState.Missing, TokenState.IsDirectory, 0), (gone.State, folder.State, archives()));
        Assert.StartsWith("Synchronise. Then restart", gone.Remedy, StringComparison.Ordinal);
        Assert.Contains(live.Files.PathOf(SampleStack.PasswordFile), folder.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_in_a_memory_file_system_the_engine_does_not_show()
    {
        await using var live = await LayeredStack.StartAsync();
        var archives = CountArchives(live);
        live.Change(now => now with { Mounts = [new("tmpfs", "", "", "/workspace/ComfyUI/login", false)] });

        Assert.Equal((TokenState.Unreadable, 0), ((await live.SeenAsync(LayeredStack.PasswordLocation)).State, archives()));
    }

    // The server.
    [Fact]
    public async Task A_server_that_expects_another_token_refuses_ours()
    {
        await using var live = await LayeredStack.StartAsync();
        live.WritePassword($"{live.Older.Text}\nalice\n");
        live.RestartServer($"{live.Older.Text}\nalice\n");

        var seen = await live.SeenAsync(TokenLayer.Server);

        Assert.Equal((TokenState.RefusedByServer, live.Older.Hash.Fingerprint), (seen.State, seen.Fingerprint));
        Assert.StartsWith($"Mend {LayeredStack.PasswordLocation} first", seen.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task A_server_without_a_password_is_open(string? password)
    {
        await using var live = await LayeredStack.StartAsync();
        live.Put(LayeredStack.Password, password is null ? null : new EmulatedFile(password));
        live.RestartServer(password);

        var seen = await live.AuditAsync();

        Assert.Equal(TokenState.OpenWithoutPassword, seen.Single(observation => observation.Layer == TokenLayer.Server).State);
        Assert.DoesNotContain("after the next start", seen.Single(observation => observation.Layer == TokenLayer.ContainerFile).Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_the_login_accepts_wrongly()
    {
        await using var live = await LayeredStack.StartAsync(hasLogin: false);

        var seen = await live.SeenAsync(TokenLayer.Server);

        Assert.Equal(TokenState.AcceptedWrongly, seen.State);
        Assert.NotEmpty(seen.Remedy);
    }

    [Fact]
    public async Task A_web_login_that_refuses_the_password_is_told_of()
    {
        await using var live = await LayeredStack.StartAsync();
        live.RestartServer($"{live.Credential.Text}\r\nalice\r\n");

        Assert.Equal(TokenState.OtherPassword, (await live.SeenAsync(TokenLayer.Server)).State);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_not_known_to_be_wrong()
    {
        await using var live = await LayeredStack.StartAsync(isSilent: true);

        var seen = await live.SeenAsync(TokenLayer.Server);

        Assert.Equal((TokenState.Unreadable, false), (seen.State, seen.IsFault));
        Assert.NotEmpty(seen.Evidence);
    }

    [Fact]
    public async Task No_secret_goes_to_who_has_the_address_of_another_container()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Engine.Add(live.Engine.Containers[0] with { Name = "another" });
        live.Change(now => now with { Ports = [new(8188, "tcp", "127.0.0.1", 1)] });

        var seen = await live.SeenAsync(TokenLayer.Server);

        Assert.Equal((TokenState.Unreadable, 0), (seen.State, live.Comfy!.Requests));
    }

    // Layers that cannot be looked at.
    [Fact]
    public async Task A_stopped_container_shows_its_password_and_is_not_asked()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Change(now => now with { State = ContainerState.Exited, FinishedAt = DateTimeOffset.UtcNow });
        live.WritePassword($"{live.Credential.Text}\nalice\n", afterStart: TimeSpan.FromMinutes(5));

        var seen = await live.AuditAsync();

        Assert.Equal(TokenState.Match, seen.Single(observation => observation.Layer == TokenLayer.ContainerFile).State);
        Assert.Equal((TokenState.Unreadable, 0), (seen.Single(observation => observation.Layer == TokenLayer.Server).State, live.Comfy!.Requests));
    }

    [Fact]
    public async Task A_container_that_never_started_is_not_open_for_want_of_a_password()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Put(LayeredStack.Password, null);
        live.Change(now => now with { State = ContainerState.Created, StartedAt = null });

        Assert.Equal(TokenState.Unreadable, (await live.SeenAsync(TokenLayer.ContainerFile)).State);
    }

    [Fact]
    public async Task A_container_that_is_not_there_leaves_three_layers_unread()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Engine.Remove(LayeredStack.Container);

        await AssertNothingIsKnownAsync(live, live.Auditor(), "no container");
    }

    [Fact]
    public async Task An_engine_that_cannot_be_reached_is_told_of_and_no_error()
    {
        await using var live = await LayeredStack.StartAsync();
        await using var nobody = new DockerClient(DockerEndpoint.Parse("tcp://127.0.0.1:9", "a test"));

        await AssertNothingIsKnownAsync(live, live.Auditor(nobody), "127.0.0.1:9");
    }

    [Fact]
    public async Task An_engine_that_hangs_over_the_files_holds_nothing_up()
    {
        await using var live = await LayeredStack.StartAsync();
        live.Engine.Faults = request => request.Path.Value!.Contains("/archive", StringComparison.Ordinal) ? new Fault { Delay = Timeout.InfiniteTimeSpan } : null;
        var auditor = new LiveTokenAuditor(new(live.Files.Verifier, live.Redactor, _ => null), live.Client, live.Redactor) { Patience = TimeSpan.FromSeconds(5) };

        var seen = await auditor.AuditAsync(live.Files.Stack, null, Stop);

        Assert.Equal(TokenState.Unreadable, seen.Single(observation => observation.Layer == TokenLayer.ContainerFile).State);
        Assert.Equal(TokenState.Match, seen.Single(observation => observation.Layer == TokenLayer.Server).State);
    }

    [Fact]
    public async Task A_cancelled_audit_ends()
    {
        await using var live = await LayeredStack.StartAsync();
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        live.Engine.Faults = request =>
        {
            if (!request.Path.Value!.Contains("/archive", StringComparison.Ordinal))
                return null;
            cancelled.Cancel();
            return new() { Delay = Timeout.InfiniteTimeSpan };
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => live.Auditor().AuditAsync(live.Files.Stack, null, cancelled.Token));
    }

    [Fact]
    public async Task Without_a_source_of_truth_the_container_is_offered_as_one()
    {
        await using var live = await LayeredStack.StartAsync();
        foreach (var file in SampleStack.Files)
            live.Files.Delete(file);

        var seen = await live.AuditAsync();

        Assert.Equal(TokenState.Undetermined, seen.Single(observation => observation.Layer == TokenLayer.Server).State);
        var password = seen.Single(observation => observation.Layer == TokenLayer.ContainerFile);
        Assert.Equal((TokenState.Undetermined, live.Credential.Hash.Fingerprint), (password.State, password.Fingerprint));
        Assert.Contains($"-Adopt '{LayeredStack.PasswordLocation}'", password.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Rubbish_in_a_container_is_told_of_as_text_without_secrets(int kind)
    {
        await using var live = await LayeredStack.StartAsync();
        const string password = "pa$$ w0rd-of-the-container";
        live.SetVariable("COMFYUI_PASSWORD", password);
        live.SetVariable("COMFYUI_API_TOKEN", "\u001b[31m" + new string('$', 100_000));
        live.SetVariable("COMFYUI_WORKSPACE_PATH", kind == 2 ? "/\u001b[31m" : "/../../..");
        live.Put(LayeredStack.Password, new(kind switch
        {
            1 => new byte[64 * 1024 + 1],
            2 => [0xFF, 0xFE, 0x24, 0x00],
            3 => [.. Enumerable.Repeat((byte)'$', 60_000)],
            _ => "\0\0\0"u8.ToArray(),
        }));

        var audit = await live.Auditor().LookAsync(live.Files.Stack, null, Stop);

        Assert.True(audit.Observations.Single(seen => seen.Location == LayeredStack.PasswordLocation).State is TokenState.Malformed or TokenState.Unreadable);
        var text = JsonSerializer.Serialize(audit.Observations, ReportJsonContext.Default.IReadOnlyListTokenObservation) + string.Join('\n', audit.Validations.SelectMany(validation => validation.Findings));
        Assert.All([password, live.Credential.Text, live.Credential.Password, live.Credential.Text[..12]], secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
        Assert.All(audit.Observations, seen => Assert.DoesNotContain(seen.Evidence + seen.Remedy + seen.Location, char.IsControl));
        Assert.All(audit.Observations, seen => Assert.True(seen.Evidence.Length < 1000));
    }

    private static string Fill(LayeredStack live, string text) => text
        .Replace("{hash}", live.Credential.Text, StringComparison.Ordinal)
        .Replace("{older}", live.Older.Text, StringComparison.Ordinal)
        .Replace("{cut}", live.Credential.Text[..50], StringComparison.Ordinal);

    private static Func<int> CountArchives(LayeredStack live)
    {
        var count = 0;
        live.Engine.Faults = request =>
        {
            if (request.Path.Value!.Contains("/archive", StringComparison.Ordinal))
                Interlocked.Increment(ref count);
            return null;
        };
        return () => count;
    }

    private static async Task AssertNothingIsKnownAsync(LayeredStack live, LiveTokenAuditor auditor, string why)
    {
        var audit = await auditor.LookAsync(live.Files.Stack, null, Stop);

        var unread = audit.Observations.Where(seen => seen.Layer != TokenLayer.File).ToList();
        Assert.Equal([TokenLayer.ContainerEnvironment, TokenLayer.ContainerFile, TokenLayer.Server], unread.Select(seen => seen.Layer));
        Assert.All(unread, seen => Assert.Equal(TokenState.Unreadable, seen.State));
        Assert.Contains(why, unread[0].Evidence, StringComparison.Ordinal);
        Assert.Equal((null, 3), (Assert.Single(audit.Validations).IsValid, audit.Validations[0].Undetermined));
        Assert.Equal(0, live.Comfy!.Requests);
    }
}
