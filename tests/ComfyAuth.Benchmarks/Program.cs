using BenchmarkDotNet.Running;
using ComfyAuth.Benchmarks;

// Whole runs of a process are measured from outside, which BenchmarkDotNet is not made for.
switch (args)
{
    case [StackBenchmark.Verb, .. string[] counts]:
        await StackBenchmark.RunAsync([.. counts.Select(int.Parse)]);
        break;
    case [StackRun.Verb, string folder, string work]:
        await StackRun.RunAsync(folder, work);
        break;
    case [ContainerBenchmark.Verb, string image, .. string[] counts]:
        await ContainerBenchmark.RunAsync(image, [.. counts.Select(int.Parse)]);
        break;
    case [GuidanceBenchmark.Verb, .. string[] counts]:
        await GuidanceBenchmark.RunAsync([.. counts.Select(int.Parse)]);
        break;
    case [GuidanceRun.Verb, string root]:
        GuidanceRun.Run(root);
        break;
    case [NotebookBenchmark.Verb, .. string[] counts]:
        await NotebookBenchmark.RunAsync([.. counts.Select(int.Parse)]);
        break;
    case [NotebookRun.Verb, string root]:
        await NotebookRun.RunAsync(root);
        break;
    case [ChecksBenchmark.Verb]:
        await ChecksBenchmark.RunAsync();
        break;
    case [ModelBenchmark.Verb, .. string[] numbers]:
        await ModelBenchmark.RunAsync(numbers is [var megabytes, ..] ? int.Parse(megabytes) : 1000, numbers is [_, var rounds] ? int.Parse(rounds) : 5);
        break;
    case [ModelRun.Verb, string work, .. string[] arguments]:
        await ModelRun.RunAsync(work, arguments);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        break;
}
