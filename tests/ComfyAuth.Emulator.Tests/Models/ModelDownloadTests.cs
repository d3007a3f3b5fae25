using ComfyAuth.Emulator.Faults;
using ComfyAuth.Emulator.Hub;
using ComfyAuth.Models;
using ComfyAuth.Secrets;

namespace ComfyAuth.Emulator.Tests.Models;

public sealed class ModelDownloadTests
{
    // On a busy machine a connection that is fine may say nothing for seconds.
    private const int ManyAttempts = 1000;

    private static CancellationToken Stop => DownloadBench.Stop;

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, true, false)]
    [InlineData(false, true, true)]
    [InlineData(false, true, false)]
    [InlineData(true, false, true)]
    [InlineData(false, false, false)]
    public async Task A_file_is_loaded_whole_from_a_hub_and_from_mirrors_of_every_kind(bool hasHeaders, bool redirects, bool isPinned)
    {
        await using var bench = await DownloadBench.StartAsync(new() { HasLinkedHeaders = hasHeaders, Redirects = redirects });

        var result = await bench.RunAsync(isPinned);

        Assert.Equal(ModelDownloadOutcome.Downloaded, result.Outcome);
        Assert.Equal((bench.Content.Length, bench.Content.Sha256, bench.Target, null), (result.SizeInBytes, result.Sha256, result.Path, result.Note));
        Assert.InRange(result.BytesDownloaded, bench.Content.Length, bench.Content.Length + 1);
        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData(256)]
    [InlineData(DownloadBench.Chunk - 1)]
    [InlineData(DownloadBench.Chunk)]
    [InlineData(DownloadBench.Chunk + 1)]
    public async Task A_file_of_any_length_is_loaded(int length)
    {
        await using var bench = await DownloadBench.StartAsync();
        bench.Offer(HubContent.Safetensors(length));

        await bench.RunAsync();

        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_small_file_that_is_no_model_is_loaded_too_and_even_an_empty_one()
    {
        await using var bench = await DownloadBench.StartAsync();
        foreach (var text in (string[])["hello\n", ""])
        {
            bench.Hub.Add(new HostedFile(DownloadBench.Repository, "README.md", HubContent.Of(System.Text.Encoding.ASCII.GetBytes(text))) { IsStored = false });
            using var downloader = new ModelDownloader(new(), bench.Options);

            var result = await downloader.DownloadAsync(new ModelDownload { Source = new(DownloadBench.Repository, "README.md"), Target = Path.Combine(bench.Folder, $"{text.Length}.md") }, null, Stop);

            Assert.Equal(text, await File.ReadAllTextAsync(result.Path, Stop));
        }
    }

    [Fact]
    public async Task What_is_there_needs_no_network_and_is_read_once()
    {
        await using var bench = await DownloadBench.StartAsync();
        await bench.RunAsync();
        var requests = bench.Hub.Requests;
        List<ModelDownloadPhase> phases = [];

        var result = await bench.RunAsync(progress: new DownloadBench.Watch(each => phases.Add(each.Phase)));

        Assert.Equal((ModelDownloadOutcome.Present, 0L, bench.Content.Sha256), (result.Outcome, result.BytesDownloaded, result.Sha256));
        Assert.Equal(requests, bench.Hub.Requests);
        Assert.True((await ModelVerifier.VerifyAsync(bench.Target, bench.Content.Length, bench.Content.Sha256, stop: Stop)).IsRemembered);
        Assert.False((await ModelVerifier.VerifyAsync(bench.Target, bench.Content.Length, bench.Content.Sha256, deep: true, stop: Stop)).IsRemembered);

        File.SetLastWriteTimeUtc(bench.Target, DateTime.UnixEpoch);
        Assert.False((await ModelVerifier.VerifyAsync(bench.Target, bench.Content.Length, bench.Content.Sha256, stop: Stop)).IsRemembered);
        Assert.True((await ModelVerifier.VerifyAsync(bench.Target, bench.Content.Length, bench.Content.Sha256, stop: Stop)).IsRemembered);
    }

    [Fact]
    public async Task A_file_that_nobody_pinned_is_compared_with_the_hub_s_and_used_when_the_hub_is_away()
    {
        await using var bench = await DownloadBench.StartAsync();
        await bench.RunAsync(isPinned: false);

        Assert.Equal(ModelDownloadOutcome.Present, (await bench.RunAsync(isPinned: false)).Outcome);

        bench.Hub.Faults = _ => new() { CutAfter = 0, Reset = true };
        var offline = await bench.RunAsync(isPinned: false);

        Assert.Equal(ModelDownloadOutcome.Present, offline.Outcome);
        Assert.Contains("could not be asked", offline.Note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_interrupted_download_goes_on_where_it_stopped(bool isPinned)
    {
        await using var bench = await DownloadBench.StartAsync();
        await bench.InterruptAsync(10 * DownloadBench.Chunk, isPinned);
        Assert.False(File.Exists(bench.Target));

        var result = await bench.RunAsync(isPinned);

        Assert.Equal(ModelDownloadOutcome.Resumed, result.Outcome);
        Assert.InRange(result.BytesDownloaded, 1, bench.Content.Length - (9 * DownloadBench.Chunk));
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_file_that_changed_on_the_hub_since_is_begun_anew_and_that_is_said()
    {
        await using var bench = await DownloadBench.StartAsync();
        await bench.InterruptAsync(10 * DownloadBench.Chunk, isPinned: false);
        bench.Offer(HubContent.Safetensors(DownloadBench.Length, seed: 8));

        var result = await bench.RunAsync(isPinned: false);

        Assert.Equal((ModelDownloadOutcome.Downloaded, bench.Content.Length), (result.Outcome, result.BytesDownloaded));
        Assert.Contains("another one than when the download began", result.Note, StringComparison.Ordinal);
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_file_that_changes_while_it_is_loaded_is_begun_anew_and_that_is_said()
    {
        await using var bench = await DownloadBench.StartAsync(new() { Redirects = false });
        var asked = 0;
        bench.Hub.Faults = _ =>
        {
            if (Interlocked.Increment(ref asked) == 8)
                bench.Offer(HubContent.Safetensors(DownloadBench.Length, seed: 9));
            return null;
        };

        var result = await bench.RunAsync(isPinned: false);

        Assert.Contains("changed while it was loaded", result.Note, StringComparison.Ordinal);
        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"version":1,"size":-1,"done":[[0,10]]}""")]
    [InlineData("""{"version":1,"size":1310843,"done":[[0]]}""")]
    [InlineData("""{"version":1,"size":1310843,"done":[[0,99999999]]}""")]
    [InlineData("""{"version":9,"size":1310843,"done":[[0,1310843]]}""")]
    [InlineData("""{"version":1,"size":1310843,"done":null,"sha256":"x"}""")]
    public async Task A_journal_that_makes_no_sense_is_not_trusted(string journal)
    {
        await using var bench = await DownloadBench.StartAsync();
        await bench.InterruptAsync(10 * DownloadBench.Chunk);
        await File.WriteAllTextAsync(bench.Journal, journal, Stop);

        var result = await bench.RunAsync();

        Assert.Equal((ModelDownloadOutcome.Downloaded, bench.Content.Length), (result.Outcome, result.BytesDownloaded));
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_part_without_a_journal_and_a_journal_of_another_part_are_not_trusted()
    {
        await using var bench = await DownloadBench.StartAsync();
        await bench.InterruptAsync(10 * DownloadBench.Chunk);
        await File.WriteAllTextAsync(bench.Part, "something short", Stop);

        Assert.Equal(ModelDownloadOutcome.Downloaded, (await bench.RunAsync()).Outcome);
        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task A_part_that_was_damaged_since_is_found_out_and_loaded_anew(int place)
    {
        await using var bench = await DownloadBench.StartAsync();
        await bench.InterruptAsync(10 * DownloadBench.Chunk);
        await using (var part = new FileStream(bench.Part, FileMode.Open))
        {
            part.Position = place;
            part.WriteByte((byte)(bench.Content.Read(place, 1)[0] ^ 1));
        }

        var result = await bench.RunAsync();

        Assert.Equal(ModelDownloadOutcome.Downloaded, result.Outcome);
        Assert.Contains("not right", result.Note, StringComparison.Ordinal);
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task What_comes_wrong_is_found_out_and_never_gets_the_name()
    {
        await using var bench = await DownloadBench.StartAsync();
        bench.Hub.Storage.Faults = request => DownloadBench.From(request) == 5 * DownloadBench.Chunk ? new() { Content = new(ContentFaultKind.WrongBytes) } : null;

        var error = await bench.FailAsync();

        Assert.Equal("ModelHashMismatch", error.Code);
        Assert.False(File.Exists(bench.Target));
        Assert.True(File.Exists(bench.Target + ".corrupt"));
        Assert.Contains("SHA-256", await File.ReadAllTextAsync(bench.Target + ".corrupt.txt", Stop), StringComparison.Ordinal);

        // The next run begins anew.
        bench.Hub.Storage.Faults = null;
        Assert.Equal(ModelDownloadOutcome.Downloaded, (await bench.RunAsync()).Outcome);
        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_was_taken_back_gets_its_name_again_without_a_byte(bool isPinned)
    {
        await using var bench = await DownloadBench.StartAsync();
        await bench.RunAsync(isPinned);
        await ModelDownloader.TakeBackAsync(bench.Target, Stop);
        Assert.Equal((false, true), (File.Exists(bench.Target), File.Exists(bench.Part)));
        var requests = bench.Hub.Requests;

        var result = await bench.RunAsync(isPinned);

        Assert.Equal((ModelDownloadOutcome.Resumed, 0L, bench.Content.Sha256), (result.Outcome, result.BytesDownloaded, result.Sha256));
        Assert.Equal(isPinned ? requests : requests + 1, bench.Hub.Requests);
        Assert.True((await ModelVerifier.VerifyAsync(bench.Target, null, bench.Content.Sha256, stop: Stop)).IsRemembered);
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_link_under_the_name_of_a_file_in_work_leads_nowhere()
    {
        await using var bench = await DownloadBench.StartAsync();
        Directory.CreateDirectory(Path.GetDirectoryName(bench.Target)!);
        var mine = Path.Combine(bench.Folder, "mine.txt");
        await File.WriteAllTextAsync(mine, "mine", Stop);
        File.CreateSymbolicLink(bench.Target + ".part.json.tmp", mine);
        File.CreateSymbolicLink(bench.Target + ".corrupt.txt", mine);
        await File.WriteAllTextAsync(bench.Target, "not the model", Stop);

        await bench.RunAsync();

        Assert.Equal("mine", await File.ReadAllTextAsync(mine, Stop));
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task Taking_back_what_is_not_there_does_nothing()
    {
        await using var bench = await DownloadBench.StartAsync();

        await ModelDownloader.TakeBackAsync(bench.Target, Stop);

        Assert.Empty(Directory.EnumerateFileSystemEntries(bench.Folder));
    }

    [Theory]
    [InlineData("not the model")]
    [InlineData(null)]
    public async Task A_wrong_file_under_the_name_stays_until_the_right_one_is_verified_and_is_never_lost(string? text)
    {
        await using var bench = await DownloadBench.StartAsync();
        Directory.CreateDirectory(Path.GetDirectoryName(bench.Target)!);
        var old = text is null ? HubContent.Safetensors(DownloadBench.Length, seed: 99).Read(0, DownloadBench.Length) : System.Text.Encoding.ASCII.GetBytes(text);
        await File.WriteAllBytesAsync(bench.Target, old, Stop);
        await bench.InterruptAsync(10 * DownloadBench.Chunk);
        Assert.Equal(old, await File.ReadAllBytesAsync(bench.Target, Stop));

        var result = await bench.RunAsync();

        Assert.Contains("model.safetensors.corrupt", result.Note, StringComparison.Ordinal);
        Assert.Equal(old, await File.ReadAllBytesAsync(bench.Target + ".corrupt", Stop));
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_stale_token_is_left_out_for_a_public_file_and_that_is_said()
    {
        await using var bench = await DownloadBench.StartAsync(token: new SecretText("hf_stale"));

        var result = await bench.RunAsync();

        Assert.Contains("does not know the token", result.Note, StringComparison.Ordinal);
        Assert.Equal((1, 0), (bench.Hub.TokensSeen, bench.Hub.Storage.TokensSeen));
        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_token_goes_to_the_hub_and_to_nobody_else(bool redirects)
    {
        await using var bench = await DownloadBench.StartAsync(new() { Tokens = ["hf_valid"], Redirects = redirects }, new SecretText("hf_valid"), isGated: true);

        var result = await bench.RunAsync();

        Assert.Null(result.Note);
        Assert.True(bench.Hub.TokensSeen > 0);
        Assert.Equal(0, bench.Hub.Storage.TokensSeen);
        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData(null, "HubFileGated", "no token was sent")]
    [InlineData("hf_noaccess", "HubFileGated", "has none")]
    [InlineData("hf_stale", "HubRefusedToken", "does not know the token")]
    public async Task A_gated_file_says_what_is_missing(string? token, string code, string told)
    {
        await using var bench = await DownloadBench.StartAsync(new() { TokensWithoutAccess = ["hf_noaccess"] }, token is null ? null : new SecretText(token), isGated: true);

        var error = await bench.FailAsync();

        Assert.Equal(code, error.Code);
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(error.Remedy);
    }

    [Theory]
    [InlineData("Nobody/Nothing", "a.safetensors", "main", "HubRepositoryNotFound")]
    [InlineData(DownloadBench.Repository, "a.safetensors", "main", "HubFileNotFound")]
    [InlineData(DownloadBench.Repository, "split_files/vae/model.safetensors", "v9", "HubRevisionNotFound")]
    public async Task What_the_hub_does_not_have_is_named(string repository, string path, string revision, string code)
    {
        await using var bench = await DownloadBench.StartAsync();
        using var downloader = new ModelDownloader(new(), bench.Options);

        var error = await Assert.ThrowsAnyAsync<ComfyAuthException>(() => downloader.DownloadAsync(new ModelDownload { Source = new(repository, path, revision), Target = bench.Target }, null, Stop));

        Assert.Equal(code, error.Code);
    }

    [Fact]
    public async Task Another_version_on_the_hub_than_the_pinned_one_is_refused_before_it_is_loaded()
    {
        await using var bench = await DownloadBench.StartAsync();
        using var downloader = new ModelDownloader(new(), bench.Options);
        var download = bench.Download();

        var size = await Assert.ThrowsAnyAsync<ComfyAuthException>(() => downloader.DownloadAsync(download with { SizeInBytes = 9 }, null, Stop));
        var hash = await Assert.ThrowsAnyAsync<ComfyAuthException>(() => downloader.DownloadAsync(download with { Sha256 = new('0', 64) }, null, Stop));

        Assert.Equal(("ModelNotAsPinned", "ModelNotAsPinned"), (size.Code, hash.Code));
        Assert.False(File.Exists(bench.Part));
    }

    [Fact]
    public async Task What_is_no_model_is_refused_by_its_beginning_and_named()
    {
        await using var bench = await DownloadBench.StartAsync();
        var page = new byte[100 * DownloadBench.Chunk];
        "<!DOCTYPE html><html>"u8.CopyTo(page);
        bench.Offer(HubContent.Of(page));

        // Nothing but the beginning ever comes, whoever is faster: the connections or the look at it.
        bench.Hub.Storage.Faults = request => DownloadBench.From(request) > 0 ? HubFaults.Silence : null;
        var error = await bench.FailAsync();

        Assert.Equal("ModelFileInvalid", error.Code);
        Assert.Contains("a web page", error.Message, StringComparison.Ordinal);
        Assert.Equal(DownloadBench.Chunk, bench.Hub.Storage.BytesServed);
        Assert.Equal([".comfyauth"], [.. Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(bench.Target)!).Select(path => Path.GetFileName(path)!)]);
    }

    [Fact]
    public async Task An_empty_model_is_none()
    {
        await using var bench = await DownloadBench.StartAsync();
        bench.Offer(HubContent.Of([]));

        Assert.Contains("it is empty", (await bench.FailAsync(isPinned: false)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(405)]
    [InlineData(501)]
    public async Task A_mirror_that_knows_no_HEAD_is_asked_by_GET(int status)
    {
        await using var bench = await DownloadBench.StartAsync();
        bench.Hub.Faults = request => request.Method == "HEAD" ? new() { Answer = new(status, "text/plain", "") } : null;

        await bench.RunAsync(isPinned: false);

        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_login_page_in_place_of_the_hub_is_named()
    {
        await using var bench = await DownloadBench.StartAsync();
        bench.Hub.Faults = _ => HubFaults.WebPage;

        Assert.Contains("web page", (await bench.FailAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_knows_no_ranges_is_read_in_one_stream_that_takes_what_is_missing()
    {
        await using var bench = await DownloadBench.StartAsync();
        await bench.InterruptAsync(7 * DownloadBench.Chunk);
        var cuts = 0;
        bench.Hub.Storage.Faults = _ => new() { Content = new(ContentFaultKind.IgnoresRange, 1), CutAfter = Interlocked.Increment(ref cuts) < 4 ? 12 * DownloadBench.Chunk : null };

        var result = await bench.RunAsync();

        Assert.Equal(ModelDownloadOutcome.Resumed, result.Outcome);
        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData(ContentFaultKind.ShorterRange)]
    [InlineData(ContentFaultKind.ShiftedRange)]
    [InlineData(ContentFaultKind.OtherContent)]
    [InlineData(ContentFaultKind.Unsized)]
    public async Task An_answer_that_is_not_what_was_asked_for_does_no_harm(ContentFaultKind kind)
    {
        // Where the hash is known another tag may be that of another server; where it is not, the tag alone tells.
        await using var bench = await DownloadBench.StartAsync(new() { HasLinkedHeaders = kind != ContentFaultKind.OtherContent });
        System.Collections.Concurrent.ConcurrentDictionary<long, int> asked = new();

        // Not the first: nobody could tell that it is not the right one. Every other part goes wrong twice, and then no more.
        bench.Hub.Storage.Faults = request =>
            DownloadBench.From(request) / DownloadBench.Chunk is > 4 and var part && part % 2 == 0 && asked.AddOrUpdate(part, 1, (_, times) => times + 1) <= 2
                ? new() { Content = new(kind, 100) }
                : null;

        await bench.RunAsync(isPinned: kind != ContentFaultKind.OtherContent);

        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task Addresses_that_expire_connections_that_break_and_servers_that_cannot_are_tried_again()
    {
        await using var bench = await DownloadBench.StartAsync();
        System.Collections.Concurrent.ConcurrentDictionary<long, bool> asked = new();

        // Each part goes wrong once, in turn in another way. How much of one comes before its connection is reset depends on the machine: the rest of it is fine.
        bench.Hub.Storage.Faults = request => DownloadBench.From(request) / DownloadBench.Chunk is var part && asked.TryAdd(part, true) ? (part % 6) switch
        {
            1 => HubFaults.Expired,
            2 => new() { CutAfter = DownloadBench.Chunk / 2, Reset = true },
            3 => HubFaults.ServerError(503),
            4 => HubFaults.TooManyRequests("0"),
            5 => HubFaults.RangeRefused(bench.Content.Length),
            _ => null,
        } : null;

        var result = await bench.RunAsync();

        Assert.Equal(ModelDownloadOutcome.Downloaded, result.Outcome);
        Assert.NotEmpty(bench.Log);
        Assert.DoesNotContain(bench.Log, line => line.Contains("Signature", StringComparison.OrdinalIgnoreCase));
        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData(503, "HubFailed")]
    [InlineData(429, "HubBusy")]
    [InlineData(403, "HubRefused")]
    public async Task A_server_that_never_can_is_given_up_and_what_was_loaded_is_kept(int status, string code)
    {
        await using var bench = await DownloadBench.StartAsync();
        bench.Hub.Storage.Faults = request => DownloadBench.From(request) >= 10 * DownloadBench.Chunk ? new() { Answer = new(status, "text/plain", "no") } : null;

        var error = await bench.FailAsync();

        Assert.Equal(code, error.Code);
        Assert.DoesNotContain("Signature", error.Message, StringComparison.Ordinal);
        bench.Hub.Storage.Faults = null;
        Assert.Equal(ModelDownloadOutcome.Resumed, (await bench.RunAsync()).Outcome);
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_connection_that_trickles_is_made_anew()
    {
        await using var bench = await DownloadBench.StartAsync();
        var asked = 0;
        bench.Hub.Storage.Faults = _ => Interlocked.Increment(ref asked) == 2 ? new() { Trickle = TimeSpan.FromMilliseconds(1) } : null;

        await bench.RunAsync(change: options => options with { StallTimeout = TimeSpan.FromSeconds(2), Attempts = ManyAttempts });

        await bench.AssertIsWholeAsync();
        Assert.Contains(bench.Log, line => line.Contains("next to nothing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_connection_that_says_nothing_is_made_anew()
    {
        await using var bench = await DownloadBench.StartAsync();
        var asked = 0;
        bench.Hub.Storage.Faults = _ => Interlocked.Increment(ref asked) switch { 2 => HubFaults.Silence, 4 => new() { StallAfter = DownloadBench.Chunk / 2 }, _ => null };

        await bench.RunAsync(change: options => options with { StallTimeout = TimeSpan.FromSeconds(1), Attempts = ManyAttempts });

        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/model", "HubRedirectRefused")]
    [InlineData("file:///etc/passwd", "HubRedirectRefused")]
    [InlineData("?again", "HubAnswerInvalid")]
    public async Task A_redirect_to_elsewhere_is_not_followed(string location, string code)
    {
        await using var bench = await DownloadBench.StartAsync();
        bench.Hub.Faults = _ => HubFaults.RedirectTo(location);

        Assert.Equal(code, (await bench.FailAsync()).Code);
    }

    [Fact]
    public async Task Two_that_want_the_same_file_load_it_once()
    {
        await using var bench = await DownloadBench.StartAsync();

        var results = await Task.WhenAll(bench.RunAsync(), bench.RunAsync());

        Assert.Equal([ModelDownloadOutcome.Present, ModelDownloadOutcome.Downloaded], [.. results.Select(result => result.Outcome).Order()]);
        Assert.Equal(bench.Content.Length, results.Sum(result => result.BytesDownloaded));
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task One_file_that_fails_spares_the_others()
    {
        await using var bench = await DownloadBench.StartAsync();
        using var downloader = new ModelDownloader(new(), bench.Options);
        var missing = new ModelDownload { Source = new(DownloadBench.Repository, "missing.safetensors"), Target = Path.Combine(bench.Folder, "missing.safetensors") };
        List<ModelDownloadResult> results = [];

        await foreach (var result in downloader.DownloadAsync([missing, bench.Download(), bench.Download()], null, Stop))
            results.Add(result);

        Assert.Equal(2, results.Count);
        Assert.Equal("HubFileNotFound", Assert.Single(results, result => result.Outcome == ModelDownloadOutcome.Failed).Error!.Code);
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_bandwidth_limit_holds_all_connections_together()
    {
        await using var bench = await DownloadBench.StartAsync();

        var result = await bench.RunAsync(change: options => options with { BytesPerSecond = DownloadBench.Length });

        Assert.True(result.Duration >= TimeSpan.FromSeconds(0.9), $"it took {result.Duration}");
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_folder_in_the_place_of_the_file_and_a_link_to_another_disk_are_seen()
    {
        await using var bench = await DownloadBench.StartAsync();
        Directory.CreateDirectory(bench.Target);
        Assert.Equal("TargetIsDirectory", (await bench.FailAsync()).Code);

        Directory.Delete(bench.Target);
        var other = Path.Combine(bench.Folder, "other", "model.safetensors");
        File.CreateSymbolicLink(bench.Target, other);
        await bench.RunAsync();

        Assert.Equal(other, new FileInfo(bench.Target).LinkTarget);
        Assert.Equal(bench.Content.Length, new FileInfo(other).Length);
    }

    [Fact]
    public async Task Progress_never_goes_beyond_the_size_and_ends_with_it()
    {
        await using var bench = await DownloadBench.StartAsync();
        System.Collections.Concurrent.ConcurrentQueue<ModelDownloadProgress> told = new();

        await bench.RunAsync(progress: new DownloadBench.Watch(told.Enqueue));

        Assert.All(told, each => Assert.InRange(each.BytesDone, 0, bench.Content.Length));
        Assert.Equal((ModelDownloadPhase.Done, bench.Content.Length), (told.Last().Phase, told.Last().BytesDone));
    }
}
