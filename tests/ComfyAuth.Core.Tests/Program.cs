using ComfyAuth.Tests.Files;
using Xunit.Runner.InProc.SystemConsole;

// The tests run themselves again as the process that is to be killed.
return args is [TransactionChild.Verb, .. string[] rest]
    ? await TransactionChild.RunAsync(rest)
    : await ConsoleRunner.Run(args);
