using ComfyAuth.Emulator.Services;

namespace ComfyAuth.Emulator.Tests.Services;

public sealed class EmulatedHealthServiceTests
{
    [Theory]
    [InlineData("GET", "/health", 200)]
    [InlineData("POST", "/health", 405)]
    [InlineData("GET", "/", 404)]
    public async Task It_answers_on_its_health_path_only(string method, string path, int status)
    {
        await using var service = await EmulatedHealthService.StartAsync(TestContext.Current.CancellationToken);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(new(method), new Uri(service.Address, path));

        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(1, service.Requests);
    }

    [Fact]
    public async Task Its_port_is_free_when_it_is_gone()
    {
        var service = await EmulatedHealthService.StartAsync(TestContext.Current.CancellationToken);
        var address = service.Address;
        Assert.Equal("127.0.0.1", address.Host);

        await service.DisposeAsync();

        // Whoever else may have got the port by now: it is not this service that answers.
        using var http = new HttpClient();
        var error = await Record.ExceptionAsync(() => http.GetAsync(address, TestContext.Current.CancellationToken));
        Assert.True(error is null or HttpRequestException, error?.ToString());
        Assert.Equal(0, service.Requests);
    }
}
