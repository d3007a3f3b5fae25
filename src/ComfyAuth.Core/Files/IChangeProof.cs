namespace ComfyAuth.Files;

/// <summary>Proves that changed files are good before they are kept.</summary>
internal interface IChangeProof
{
    /// <summary>Asks for what the proof itself will change, before anything is changed.</summary>
    /// <param name="writes">Whether files will be changed.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>Whether there is anything to prove.</returns>
    Task<bool> AskAsync(bool writes, CancellationToken cancellationToken);

    /// <summary>Commits the transaction with the proof, and goes back where that fails.</summary>
    /// <param name="transaction">What was asked for is in it; it holds the lock of the root.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    Task CommitAsync(FileTransaction transaction, CancellationToken cancellationToken);
}
