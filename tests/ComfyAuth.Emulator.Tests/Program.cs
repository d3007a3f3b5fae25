using ComfyAuth.Emulator.Tests.Models;
using Xunit.Runner.InProc.SystemConsole;

// The tests run themselves again as the process that is to be killed.
return args is [DownloadChild.Verb, .. string[] rest]
    ? await DownloadChild.RunAsync(rest)
    : await ConsoleRunner.Run(args);
