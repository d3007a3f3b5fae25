using System.Text.RegularExpressions;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

public sealed partial class CheckCatalogueTests
{
    private static readonly IReadOnlyList<Check> All = CheckCatalogue.All;

    [Fact]
    public void Ids_are_unique_and_well_formed()
    {
        Assert.Equal(All.Count, All.DistinctBy(check => check.Id).Count());
        Assert.All(All, check => Assert.Matches(Id(), check.Id));
    }

    [Fact]
    public void The_checks_of_a_category_stand_together()
    {
        var changes = All.Zip(All.Skip(1)).Count(pair => pair.First.Category != pair.Second.Category);

        Assert.Equal(All.Select(check => check.Category).Distinct().Count(), changes + 1);
    }

    [Fact]
    public void What_a_check_builds_on_is_there()
    {
        var ids = All.Select(check => check.Id).ToHashSet();

        Assert.All(All, check => Assert.Subset(ids, check.DependsOn.ToHashSet()));
        Assert.All(All, check => Assert.Equal(check.DependsOn.Count, check.DependsOn.Distinct().Count()));
    }

    [Fact]
    public void No_check_builds_on_itself()
    {
        var left = All.ToList();
        while (left.RemoveAll(check => !check.DependsOn.Any(id => left.Exists(other => other.Id == id))) > 0)
            ;

        Assert.Empty(left.Select(check => check.Id));
    }

    [Fact]
    public void A_check_of_the_stack_builds_on_checks_of_the_stack_only()
    {
        var ofServices = All.Where(check => check.IsOfService).Select(check => check.Id).ToHashSet();

        Assert.All(All.Where(check => !check.IsOfService), check => Assert.DoesNotContain(check.DependsOn, ofServices.Contains));
    }

    [Fact]
    public void Texts_are_sentences_and_titles_are_none()
    {
        Assert.All(All, check => Assert.EndsWith(".", check.Meaning, StringComparison.Ordinal));
        Assert.All(All, check => Assert.EndsWith(".", check.Remedy, StringComparison.Ordinal));
        Assert.All(All, check => Assert.False(check.Title.EndsWith('.')));
        Assert.All(All, check => Assert.False(char.IsLower(check.Title[0]) || char.IsLower(check.Meaning[0]) || char.IsLower(check.Remedy[0])));
    }

    [Fact]
    public void Weights_and_timeouts_can_be_used()
    {
        Assert.All(All, check => Assert.InRange(check.Weight, 0, 10));
        Assert.All(All, check => Assert.InRange(check.Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(2)));
    }

    [GeneratedRegex(@"\A[a-z]+(\.[a-z]+(-[a-z]+)*)+\z")]
    private static partial Regex Id();
}
