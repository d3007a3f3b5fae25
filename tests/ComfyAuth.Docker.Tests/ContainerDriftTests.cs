using ComfyAuth.Containers;

namespace ComfyAuth.Tests.Docker;

/// <summary>
/// The comparison of containers with the compose files that docker-compose made them from: each folder below <c>data</c> is
/// one, and its <c>changes.tsv</c> says what differs when one thing in it is changed.
/// </summary>
public sealed class ContainerDriftTests(TestEngine engine)
{
    private static readonly string Data = Path.Combine(AppContext.BaseDirectory, "Lifecycle", "data");

    public static TheoryData<string> Cases => [.. Directory.GetDirectories(Data).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_new_container_differs_in_nothing_and_then_in_exactly_what_is_changed(string name)
    {
        await using var stack = new ComposeStack(engine);
        await ComposeStack.MakeRichImageAsync(engine);
        var files = Directory.GetFiles(Path.Combine(Data, name)).Where(path => !path.EndsWith(".tsv", StringComparison.Ordinal)).ToDictionary(path => Path.GetFileName(path), File.ReadAllText);
        void Lay()
        {
            foreach (var (file, text) in files)
                stack.Write(file, text);
        }

        Lay();
        await stack.UpAsync("--no-start");

        Assert.Equal("", await DifferencesAsync(stack));
        foreach (var line in File.ReadLines(Path.Combine(Data, name, "changes.tsv")).Where(line => line[0] != '#'))
        {
            var (file, old, with, differs) = line.Split('\t') switch { [var a, var b, var c, var d] => (a, b, c, d), _ => throw new InvalidDataException(line) };
            stack.Edit(file, old, with);
            Assert.Equal((line, differs), (line, await DifferencesAsync(stack)));
            Lay();
        }

        Assert.Equal("", await DifferencesAsync(stack));
    }

    private static async Task<string> DifferencesAsync(ComposeStack stack)
    {
        var plan = await stack.PlanRestartAsync();
        Assert.Equal(plan.Drift.Count == 0 ? ContainerChangeAction.Started : ContainerChangeAction.Recreated, plan.Change!.Kind);
        return string.Join(", ", plan.Drift);
    }
}
