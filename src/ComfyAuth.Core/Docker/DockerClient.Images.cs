using System.Runtime.CompilerServices;
using ComfyAuth.Secrets;

namespace ComfyAuth.Docker;

/// <content>Images.</content>
public sealed partial class DockerClient
{
    /// <summary>Lists the images on the engine's machine.</summary>
    /// <param name="stop">Gives up.</param>
    public async Task<IReadOnlyList<ImageSummary>> ListImagesAsync(CancellationToken stop = default)
    {
        var answer = await GetAsync("/images/json", "the list of images", DockerJson.Default.ImageListAnswerArray, stop).ConfigureAwait(false);
        return [.. EngineValues.Items(answer).Select(image => new ImageSummary(image.Id ?? "", [.. EngineValues.Items(image.RepoTags)], image.Size, EngineValues.UnixTime(image.Created)))];
    }

    /// <summary>What the engine knows of an image.</summary>
    /// <param name="image">Its name or identifier.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DockerException"><c>DockerNotFound</c>: it is not on the engine's machine.</exception>
    public async Task<ImageDetails> InspectImageAsync(string image, CancellationToken stop = default) =>
        ImageDetails.From(await GetAsync($"/images/{Segment(image)}/json", $"the details of the image {Described(image)}", DockerJson.Default.ImageAnswer, stop).ConfigureAwait(false));

    /// <summary>Makes an image of one layer out of a tar archive of its files.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="repository">The image's name without a tag.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="stop">Gives up.</param>
    public async Task ImportImageAsync(Stream archive, string repository, string tag = "latest", CancellationToken stop = default)
    {
        var what = $"importing the image {Described($"{repository}:{tag}")}";
        var path = $"/images/create?fromSrc=-&repo={Uri.EscapeDataString(repository)}&tag={Uri.EscapeDataString(tag)}";
        using var content = new StreamContent(archive) { Headers = { ContentType = new("application/x-tar") } };
        await foreach (var progress in StreamAsync(HttpMethod.Post, path, what, DockerJson.Default.ProgressAnswer, content, Timeout.InfiniteTimeSpan, stop).ConfigureAwait(false))
            ThrowIfFailed(progress, what, "DockerRequestFailed", "Check the archive and the space on the engine's disk.");
    }

    /// <summary>Removes an image.</summary>
    /// <param name="image">Its name or identifier.</param>
    /// <param name="stop">Gives up.</param>
    public Task RemoveImageAsync(string image, CancellationToken stop = default) =>
        CommandAsync(HttpMethod.Delete, $"/images/{Segment(image)}", $"removing the image {Described(image)}", null, _options.RequestTimeout, stop);

    /// <summary>Pulls an image from its registry, without credentials.</summary>
    /// <param name="image">Its name; without a tag or a digest, the tag <c>latest</c> is pulled.</param>
    /// <param name="stop">Gives up; what was downloaded is kept for the next time.</param>
    /// <returns>What happens, as it happens.</returns>
    /// <exception cref="DockerException"><c>DockerPullFailed</c>: the registry cannot be reached, or has no such image for us.</exception>
    public async IAsyncEnumerable<PullProgress> PullAsync(string image, [EnumeratorCancellation] CancellationToken stop = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(image);
        var what = $"pulling the image {Described(image)}";

        // A colon before the last slash is that of a registry's port. Without a tag, all tags would come.
        var tagged = image.Contains('@') || image.IndexOf(':', image.LastIndexOf('/') + 1) >= 0;
        var path = $"/images/create?fromImage={Uri.EscapeDataString(tagged ? image : image + ":latest")}";
        var steps = StreamAsync(HttpMethod.Post, path, what, DockerJson.Default.ProgressAnswer, null, Timeout.InfiniteTimeSpan, stop);
        var reading = steps.GetAsyncEnumerator(stop);
        await using var _ = reading.ConfigureAwait(false);
        while (true)
        {
            try
            {
                if (!await reading.MoveNextAsync().ConfigureAwait(false))
                    yield break;
            }
            catch (DockerException refused) when (refused.Code is "DockerRequestFailed" or "DockerNotFound" or "DockerPermissionDenied")
            {
                // What fails before the first byte of progress has a status of its own.
                var message = refused.Message;
                throw new DockerException("DockerPullFailed", message, PullRemedy, refused);
            }

            var progress = reading.Current;
            ThrowIfFailed(progress, what, "DockerPullFailed", PullRemedy);
            yield return new(progress.Id ?? "", progress.Status ?? "", progress.Detail?.Current, progress.Detail?.Total);
        }
    }

    private const string PullRemedy = "Check the image's name and tag, and that the engine's machine reaches the registry; 'docker login' may be needed.";

    private void ThrowIfFailed(ProgressAnswer progress, string what, string code, string remedy)
    {
        if ((progress.ErrorDetail?.Message ?? progress.Error) is { } error)
            throw new DockerException(code, $"The Docker engine at {Endpoint} failed at {what}: {DockerErrors.OneLine(new SecretRedactor().Redact(error))}.", remedy);
    }
}
