using ComfyAuth.Tests.Docker;
using Xunit.Runner.InProc.SystemConsole;

// The tests run themselves again: as the installation that is to be killed, and in a container as the server there.
return args switch
{
    [InstallChild.Verb, .. string[] rest] when !OperatingSystem.IsWindows() => await InstallChild.RunAsync(rest),
    [ServerImage.Verb, var port] => await ServerImage.ServeAsync(port),
    _ => await ConsoleRunner.Run(args),
};
