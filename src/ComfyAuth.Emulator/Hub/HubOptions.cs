namespace ComfyAuth.Emulator.Hub;

/// <summary>How an emulated hub behaves.</summary>
public sealed record HubOptions
{
    /// <summary>The port of 127.0.0.1 that it listens on; 0: one that is free. The storage has a free one.</summary>
    public int Port { get; init; }

    /// <summary>The tokens that are valid. A request with any other is refused, even for a public file.</summary>
    public IReadOnlyCollection<string> Tokens { get; init; } = [];

    /// <summary>Tokens that are valid, and to whose owners no access to gated files was granted.</summary>
    public IReadOnlyCollection<string> TokensWithoutAccess { get; init; } = [];

    /// <summary>Whether answers hold the commit, and the SHA-256 and the size of a stored file; some mirrors leave them out.</summary>
    public bool HasLinkedHeaders { get; init; } = true;

    /// <summary>Whether it sends the client to the storage; some mirrors serve everything themselves.</summary>
    public bool Redirects { get; init; } = true;

    /// <summary>Whether the answers of the hub itself say how long a file is; some mirrors and proxies leave it out.</summary>
    public bool TellsLength { get; init; } = true;

    /// <summary>Another hub, to which it sends everybody for everything, as some mirrors do; null: it answers itself.</summary>
    public Uri? OtherHub { get; init; }

    /// <summary>How many servers the storage has, which answer in turn. Each has entity tags of its own for the same content.</summary>
    public int StorageServers { get; init; } = 1;

    /// <summary>For how long the address of a file in the storage is valid.</summary>
    public TimeSpan AddressLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>After how many requests an address expires; null: only by time.</summary>
    public int? RequestsPerAddress { get; init; }

    /// <summary>After how many bytes an address expires, at the next request; null: only by time.</summary>
    public long? BytesPerAddress { get; init; }

    /// <summary>Says when an address expires.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
