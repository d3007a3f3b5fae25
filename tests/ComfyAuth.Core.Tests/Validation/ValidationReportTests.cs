using ComfyAuth.Reports;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;
using CsCheck;

namespace ComfyAuth.Tests.Validation;

public sealed class ValidationReportTests
{
    private static readonly Gen<CheckResult> AnyResult = Gen.Select(
        Gen.OneOf("engine.reachable", "auth.api.protected", "auth.api.token", "container.running", "service.ready", "content.documents", "zzz.unknown"),
        Gen.Enum<CheckStatus>(),
        Gen.OneOf<string?>(null, "comfyui-qwen", "sd35"),
        Gen.OneOf(0d, 0.1, 1, 3, 1e300, -1, double.NaN, double.PositiveInfinity, 1e-300),
        (id, status, service, weight) => Sample.Result(id, status, service, weight));

    [Fact]
    public void Everything_passed_is_100_and_sound() =>
        Gen.Double[0.1, 50].Array[1, 30].Sample(
            weights =>
            {
                var report = Sample.Report([.. weights.Select((weight, index) => Sample.Result($"auth.check{index}", CheckStatus.Passed, weight: weight))]);
                Assert.Equal((100, 100, Verdict.Sound), (report.Score, report.Coverage, report.Verdict));
            },
            iter: 300);

    [Theory]
    [InlineData(CheckStatus.Failed, 99)]
    [InlineData(CheckStatus.Warning, 99)]
    public void A_hundred_checks_of_which_one_did_not_pass_are_not_100(CheckStatus one, int score)
    {
        var report = Sample.Report([.. Enumerable.Range(0, 999).Select(index => Sample.Result($"token.check{index}", CheckStatus.Passed)), Sample.Result("token.last", one)]);

        Assert.Equal(score, report.Score);
    }

    [Fact]
    public void Nothing_checked_is_no_score()
    {
        var report = Sample.Report();

        Assert.Equal((null, null, Verdict.Undetermined, "Nothing was checked."), (report.Score, report.Coverage, report.Verdict, report.VerdictReason));
        Assert.All(report.Components, component => Assert.Equal((null, null, Verdict.Undetermined, "Nothing was checked."), (component.Score, component.Coverage, component.Status, component.Notes)));
        Assert.All(report.Metrics, metric => Assert.Equal((null, null), (metric.Value, metric.IsMet)));
        Assert.All(report.Conformity, entry => Assert.Equal(Conformity.Unknown, entry.Conformity));
        Assert.Empty(report.Strengths.Concat(report.Attention).Concat(report.Recommendations.Select(each => each.Text)));
    }

    [Fact]
    public void An_engine_that_cannot_be_asked_is_neither_good_nor_bad()
    {
        var report = Sample.Report(Sample.Result("engine.reachable", CheckStatus.Error), Sample.Result("container.running", CheckStatus.Skipped, "sd35"));

        Assert.Equal((null, 0, Verdict.Undetermined), (report.Score, report.Coverage, report.Verdict));
        Assert.Null(report.Metrics.Single(metric => metric.Name == "Running containers").IsMet);
        Assert.Equal(["1 check could not be made: nothing is known there."], report.Attention);
        Assert.Equal([Urgency.Low], report.Recommendations.Select(each => each.Urgency));
    }

    [Fact]
    public void A_service_open_to_anybody_is_critical_however_good_the_rest_is()
    {
        CheckResult[] results = [.. Enumerable.Range(0, 500).Select(index => Sample.Result($"auth.check{index}", CheckStatus.Passed, "sd35")), Sample.Result("auth.api.protected", CheckStatus.Failed, "sd35")];

        var report = Sample.Report(results);

        Assert.Equal((99, Verdict.Critical, "Nothing makes up for what failed here: auth.api.protected (sd35)."), (report.Score, report.Verdict, report.VerdictReason));
        Assert.Equal(Verdict.Critical, report.Components.Single(component => component.Component == StackComponent.Authentication).Status);
        Assert.Equal(Conformity.Violated, report.Conformity.Single(entry => entry.Area == ConformityArea.Security).Conformity);
    }

    [Fact]
    public void A_single_failure_keeps_a_stack_from_being_sound()
    {
        CheckResult[] results = [.. Enumerable.Range(0, 99).Select(index => Sample.Result($"token.check{index}", CheckStatus.Passed)), Sample.Result("token.bad", CheckStatus.Failed)];

        Assert.Equal((99, Verdict.Fair, "A check failed."), (Sample.Report(results).Score, Sample.Report(results).Verdict, Sample.Report(results).VerdictReason));
    }

    [Theory]
    [InlineData(90, Verdict.Sound)]
    [InlineData(89, Verdict.Fair)]
    [InlineData(50, Verdict.Fair)]
    [InlineData(49, Verdict.Undetermined)]
    public void A_low_coverage_keeps_a_stack_from_being_sound(int determined, Verdict verdict)
    {
        var results = Enumerable.Range(0, 100).Select(index => Sample.Result($"token.check{index}", index < determined ? CheckStatus.Passed : CheckStatus.Error));

        var report = Sample.Report([.. results]);

        Assert.Equal((100, determined, verdict), (report.Score, report.Coverage, report.Verdict));
    }

    [Fact]
    public void Any_results_give_a_report_that_adds_up() =>
        AnyResult.Array[0, 20].Sample(
            results =>
            {
                var report = Sample.Report(results);
                Assert.Equal(report.Checks.Count, report.Passed + report.Warnings + report.Failed + report.Errors + report.Skipped);
                Assert.Equal(report.Checks.Count, report.Checks.Select(CheckKey.Of).Distinct().Count());
                Assert.InRange(report.Score ?? 0, 0, 100);
                Assert.InRange(report.Coverage ?? 0, 0, 100);
                Assert.Equal(8, report.Components.Count(component => component.Component != StackComponent.Other));
                Assert.True(report.Verdict != Verdict.Sound || (report is { Failed: 0, Score: >= 90, Coverage: >= 90 }));
                Assert.True(report.Verdict == Verdict.Critical || !report.Checks.Any(result => result.Status == CheckStatus.Failed && ValidationScore.Critical.Contains(result.Id)));
                Assert.Equal(report.Recommendations.OrderBy(each => each.Urgency), report.Recommendations);
            },
            iter: 2000);

    [Fact]
    public void The_order_of_the_results_does_not_matter_and_the_last_of_a_check_counts()
    {
        var qwen = Sample.Result("service.ready", CheckStatus.Failed, "comfyui-qwen");
        CheckResult[] results = [qwen, Sample.Result("engine.reachable", CheckStatus.Passed), Sample.Result("service.ready", CheckStatus.Passed, "sd35"), qwen with { Status = CheckStatus.Passed, Fixed = true }];
        var stack = new GenAIStack { Root = Sample.Root, Definition = StackFile.Parse("", Sample.Root + "/comfyauth.yml") };

        var report = ValidationReport.Of(stack, results, Sample.Now, TimeSpan.Zero);

        Assert.Equal(["engine.reachable", "service.ready (comfyui-qwen)", "service.ready (sd35)"], report.Checks.Select(result => CheckKey.Of(result).ToString()));
        Assert.Equal((100, 3), (report.Score, report.Passed));
    }

    [Fact]
    public void One_thing_to_do_is_said_once_with_every_place_the_most_urgent_and_heaviest_first()
    {
        var report = Sample.Report(
            Sample.Result("model.hash", CheckStatus.Error),
            Sample.Result("compose.lint", CheckStatus.Warning),
            Sample.Result("service.ready", CheckStatus.Failed, "sd35"),
            Sample.Result("service.ready", CheckStatus.Failed, "comfyui-qwen"),
            Sample.Result("container.running", CheckStatus.Failed, "sd35", weight: 5),
            Sample.Result("gpu.visible", CheckStatus.Skipped));

        Assert.Equal(
            [
                "High Remedy of container.running. container.running (sd35)",
                "High Remedy of service.ready. service.ready (comfyui-qwen), service.ready (sd35)",
                "Medium Remedy of compose.lint. compose.lint",
                "Low Remedy of model.hash. model.hash",
            ],
            report.Recommendations.Select(each => $"{each.Urgency} {each.Text} {string.Join(", ", each.Locations)}"));
        Assert.Equal("Title of container.running (sd35): Message of container.running.", report.Attention[0]);
    }

    [Theory]
    [InlineData(9, 1, 0, 90, true)]
    [InlineData(8, 2, 0, 80, false)]
    [InlineData(9, 0, 1, 100, true)]
    [InlineData(8, 1, 1, 88, null)]
    [InlineData(0, 2, 8, 0, false)]
    [InlineData(0, 0, 8, null, null)]
    [InlineData(0, 0, 0, null, null)]
    public void A_threshold_is_met_where_what_is_unknown_cannot_change_that(int fine, int faulty, int unknown, int? value, bool? isMet)
    {
        var metric = new TechnicalMetric { Name = "Any", Fine = fine, Faulty = faulty, Unknown = unknown, Threshold = 90 };

        Assert.Equal((value, isMet), (metric.Value, metric.IsMet));
    }

    [Fact]
    public void A_service_is_counted_once_however_many_checks_it_has()
    {
        var metric = Sample.Report(
            Sample.Result("container.health", CheckStatus.Passed, "sd35"),
            Sample.Result("service.ready", CheckStatus.Failed, "sd35"),
            Sample.Result("container.health", CheckStatus.Passed, "comfyui-qwen"),
            Sample.Result("service.ready", CheckStatus.Skipped, "comfyui-qwen"),
            Sample.Result("service.ready", CheckStatus.Error, "orchestrator")).Metrics.Single(each => each.Name == "Healthy services");

        Assert.Equal((1, 1, 1, 50, false), (metric.Fine, metric.Faulty, metric.Unknown, metric.Value, metric.IsMet));
    }

    [Fact]
    public void A_comparison_names_what_changed()
    {
        var before = Sample.Report(
            Sample.Result("a.now-fails", CheckStatus.Warning),
            Sample.Result("b.fixed", CheckStatus.Failed, "sd35"),
            Sample.Result("b.fixed", CheckStatus.Failed, "comfyui-qwen"),
            Sample.Result("c.still", CheckStatus.Failed),
            Sample.Result("d.gone", CheckStatus.Passed),
            Sample.Result("e.unknown", CheckStatus.Failed),
            Sample.Result("f.was-skipped", CheckStatus.Skipped));
        var now = Sample.Report(
            Sample.Result("a.now-fails", CheckStatus.Failed),
            Sample.Result("b.fixed", CheckStatus.Warning, "sd35"),
            Sample.Result("b.fixed", CheckStatus.Passed, "comfyui-qwen"),
            Sample.Result("c.still", CheckStatus.Failed),
            Sample.Result("e.unknown", CheckStatus.Error),
            Sample.Result("f.was-skipped", CheckStatus.Failed),
            Sample.Result("g.new", CheckStatus.Failed));

        var compared = now.ComparedWith(before).Baseline!;

        Assert.Equal(["a.now-fails", "f.was-skipped", "g.new"], compared.NewFailures);
        Assert.Equal(["b.fixed (comfyui-qwen)", "b.fixed (sd35)"], compared.Fixed);
        Assert.Equal(["c.still"], compared.StillFailing);
        Assert.Equal(["d.gone", "e.unknown"], compared.NoLongerChecked);
        Assert.Equal((before.Score, before.Verdict, before.StartedAt, before.Stack), (compared.Score, compared.Verdict, compared.StartedAt, compared.Stack));
    }

    [Fact]
    public void Compared_with_itself_nothing_changed() =>
        AnyResult.Array[0, 20].Sample(
            results =>
            {
                var report = Sample.Report(results);
                var compared = report.ComparedWith(report).Baseline!;
                Assert.Empty(compared.NewFailures.Concat(compared.Fixed).Concat(compared.NoLongerChecked));
                Assert.Equal(report.Failed, compared.StillFailing.Count);
            },
            iter: 500);
}
