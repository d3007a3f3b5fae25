namespace ComfyAuth.Docker;

/// <content>Networks and volumes, as far as Compose makes them beside a container.</content>
public sealed partial class DockerClient
{
    /// <summary>Lists the names of networks.</summary>
    /// <param name="labels">Only those with all of these labels, written <c>key</c> or <c>key=value</c>.</param>
    /// <param name="stop">Gives up.</param>
    public async Task<IReadOnlyList<string>> ListNetworksAsync(IReadOnlyCollection<string>? labels = null, CancellationToken stop = default)
    {
        var answer = await GetAsync($"/networks?filters={Filters(("label", labels ?? []))}", "the list of networks", DockerJson.Default.NameAnswerArray, stop).ConfigureAwait(false);
        return [.. EngineValues.Items(answer).Select(network => network.Name).OfType<string>()];
    }

    /// <summary>Removes a network.</summary>
    /// <param name="network">Its name or identifier.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DockerException"><c>DockerNotFound</c>: there is none; <c>DockerConflict</c>: a container uses it.</exception>
    public Task RemoveNetworkAsync(string network, CancellationToken stop = default) =>
        CommandAsync(HttpMethod.Delete, $"/networks/{Segment(network)}", $"removing the network {Described(network)}", null, _options.RequestTimeout, stop);

    /// <summary>Lists the names of volumes.</summary>
    /// <param name="labels">Only those with all of these labels, written <c>key</c> or <c>key=value</c>.</param>
    /// <param name="stop">Gives up.</param>
    public async Task<IReadOnlyList<string>> ListVolumesAsync(IReadOnlyCollection<string>? labels = null, CancellationToken stop = default)
    {
        var answer = await GetAsync($"/volumes?filters={Filters(("label", labels ?? []))}", "the list of volumes", DockerJson.Default.VolumeListAnswer, stop).ConfigureAwait(false);
        return [.. EngineValues.Items(answer.Volumes).Select(volume => volume.Name).OfType<string>()];
    }

    /// <summary>Removes a volume and all that it holds.</summary>
    /// <param name="volume">Its name.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DockerException"><c>DockerNotFound</c>: there is none; <c>DockerConflict</c>: a container uses it.</exception>
    public Task RemoveVolumeAsync(string volume, CancellationToken stop = default) =>
        CommandAsync(HttpMethod.Delete, $"/volumes/{Segment(volume)}", $"removing the volume {Described(volume)}", null, _options.RequestTimeout, stop);
}
