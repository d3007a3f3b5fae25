using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using ComfyAuth.Reports;
using ComfyAuth.Tests.Validation;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Reports;

/// <summary>What a browser makes of the page: it is put into a frame of a page that looks at it.</summary>
public sealed partial class HtmlReportInBrowserTests
{
    private static readonly string? Browser = new[] { "chromium", "chromium-browser", "google-chrome" }
        .SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    [Theory]
    [InlineData(320)]
    [InlineData(400)]
    [InlineData(760)]
    [InlineData(1280)]
    public async Task Nothing_is_wider_than_the_page(int width)
    {
        var seen = await LookAsync(SampleReport.Of(), width);

        Assert.Equal(width, seen.GetProperty("width").GetInt32());
        Assert.True(seen.GetProperty("content").GetInt32() <= width, $"{seen}");
    }

    [Fact]
    public async Task Each_filter_shows_the_checks_of_its_status_and_no_empty_group()
    {
        var report = SampleReport.Of();

        var shown = (await LookAsync(report, 1280)).GetProperty("shown");

        foreach (var (filter, status) in new (string, CheckStatus?)[] { ("all", null), ("passed", CheckStatus.Passed), ("warning", CheckStatus.Warning), ("failed", CheckStatus.Failed), ("error", CheckStatus.Error), ("skipped", CheckStatus.Skipped) })
        {
            var expected = report.Checks.Where(result => status is null || result.Status == status).ToList();
            var groups = expected.Select(result => CategoryPlace.Of(result.Category).Component).Distinct().Count();
            Assert.Equal((filter, expected.Count, groups), (filter, shown.GetProperty($"show-{filter}").GetProperty("checks").GetInt32(), shown.GetProperty($"show-{filter}").GetProperty("groups").GetInt32()));
        }
    }

    [Fact]
    public async Task Hostile_texts_stay_texts()
    {
        const string attack = "\"'><img src=x onerror='parent.document.title=1'></script></style></title><script>parent.document.title=1</script><svg onload='parent.document.title=1'>";
        var result = Sample.Result("a.b", CheckStatus.Failed, attack) with { Id = attack, Title = attack, Message = attack, Remedy = attack, Evidence = [attack, "</pre>" + attack], Guidance = [attack] };
        var report = ValidationReport.Of(attack, [result], Sample.Now, TimeSpan.Zero, attack);

        var seen = await LookAsync(report.ComparedWith(report), 400);

        Assert.Equal((0, 0, 1), (seen.GetProperty("foreign").GetInt32(), seen.GetProperty("scripted").GetInt32(), seen.GetProperty("shown").GetProperty("show-all").GetProperty("checks").GetInt32()));
        Assert.Contains(attack, seen.GetProperty("text").GetString()!, StringComparison.Ordinal);
        Assert.True(seen.GetProperty("content").GetInt32() <= 400, $"{seen}");
    }

    private static async Task<JsonElement> LookAsync(ValidationReport report, int width)
    {
        Assert.SkipWhen(Browser is null, "There is no Chromium to look with.");
        using var folder = new TemporaryFolder();
        var html = ValidationReportWriter.Render(report, ".html", new());
        var page = folder.Write("look.html", string.Create(CultureInfo.InvariantCulture, $$"""
            <!DOCTYPE html><title>0</title><pre id="seen"></pre>
            <script>
            function look(frame) {
              const page = frame.contentDocument, shown = {};
              const visible = selector => [...page.querySelectorAll(selector)].filter(each => each.getClientRects().length > 0).length;
              for (const input of page.querySelectorAll('.filter input')) {
                input.checked = true;
                shown[input.id] = { checks: visible('.checks tbody tr:not(.group)'), groups: visible('.checks .group') };
              }
              page.querySelector('#show-all').checked = true;
              const root = page.scrollingElement;
              document.querySelector('#seen').textContent = JSON.stringify({
                width: root.clientWidth, content: root.scrollWidth, shown, scripted: Number(document.title), text: page.querySelector('.checks').textContent,
                foreign: page.querySelectorAll('script, img, svg[onload]').length });
            }
            </script>
            <iframe style="width:{{width}}px;height:900px;border:0" onload="look(this)" srcdoc="{{WebUtility.HtmlEncode(html)}}"></iframe>
            """));

        // As root, as in a container, it runs without its sandbox only.
        using var browser = Process.Start(new ProcessStartInfo(Browser!, ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1400,1000", $"--user-data-dir={folder.PathOf("profile")}", "--dump-dom", new Uri(page).AbsoluteUri])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = browser.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var dom = await browser.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await errors;
        await browser.WaitForExitAsync(TestContext.Current.CancellationToken);

        var seen = Seen().Match(dom);
        Assert.True(seen.Success, $"The page was not looked at. {await errors}");
        return JsonDocument.Parse(WebUtility.HtmlDecode(seen.Groups[1].Value)).RootElement;
    }

    [GeneratedRegex("<pre id=\"seen\">(.+?)</pre>", RegexOptions.Singleline)]
    private static partial Regex Seen();
}
