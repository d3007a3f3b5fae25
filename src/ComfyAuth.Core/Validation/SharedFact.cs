namespace ComfyAuth.Validation;

/// <summary>Something that several checks need and that is found out once in a run, by whichever asks first.</summary>
/// <typeparam name="T">What it is.</typeparam>
/// <param name="find">Finds it out; its token ends with the run, not with the check that asked first.</param>
internal sealed class SharedFact<T>(Func<CheckContext, CancellationToken, Task<T>> find)
{
    public Task<T> FindAsync(CheckContext context, CancellationToken stop) => find(context, stop);
}
