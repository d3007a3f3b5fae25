using ComfyAuth.Tests.Files;
using ComfyAuth.Tests.Installation;
using Xunit.Runner.InProc.SystemConsole;

// The tests run themselves again as the process that is to be killed.
return args switch
{
    [TransactionChild.Verb, .. string[] rest] => await TransactionChild.RunAsync(rest),
    [InstallChild.Verb, .. string[] rest] => await InstallChild.RunAsync(rest),
    _ => await ConsoleRunner.Run(args),
};
