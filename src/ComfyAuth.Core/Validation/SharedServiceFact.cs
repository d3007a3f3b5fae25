using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>Something of one service that several checks need and that is found out once in a run, by whichever asks first.</summary>
/// <typeparam name="T">What it is.</typeparam>
/// <param name="find">Finds it out; its token ends with the run, not with the check that asked first.</param>
internal sealed class SharedServiceFact<T>(Func<CheckContext, ServiceDefinition, CancellationToken, Task<T>> find)
{
    public Task<T> FindAsync(CheckContext context, ServiceDefinition service, CancellationToken stop) => find(context, service, stop);
}
