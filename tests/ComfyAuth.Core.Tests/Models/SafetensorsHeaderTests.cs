using System.Text;
using ComfyAuth.Models;

namespace ComfyAuth.Tests.Models;

public sealed class SafetensorsHeaderTests
{
    private const string Two = """{"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   """;

    [Fact]
    public async Task A_whole_file_is_read()
    {
        var bytes = FileOf(Two, 16);

        var header = await ReadAsync(bytes);

        Assert.Equal((2, (long)bytes.Length, (long)Two.Length), (header.TensorCount, header.FileLength, header.HeaderLength));
    }

    [Theory]
    [InlineData(0x4B50)]
    [InlineData(0x0280)]
    [InlineData(0x0480)]
    public async Task A_header_whose_length_looks_like_the_beginning_of_something_else_is_read(int length) =>
        Assert.Equal(length, (await ReadAsync(FileOf(Two.PadRight(length), 16))).HeaderLength);

    [Fact]
    public async Task The_header_of_a_download_is_judged_before_the_rest_is_there()
    {
        var bytes = FileOf(Two, 0);

        Assert.Equal(bytes.Length + 16, (await SafetensorsHeader.ReadAsync(new MemoryStream(bytes), null, "model", TestContext.Current.CancellationToken)).FileLength);
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("<!DOCTYPE html>\n<html>", "web page")]
    [InlineData("\n  <html lang='en'>", "web page")]
    [InlineData("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "web page")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "Git LFS pointer")]
    [InlineData("PK\u0003\u0004abcdefgh", "zip")]
    [InlineData("{\"error\":\"Repository not found\"}", "error message")]
    [InlineData("abc", "it is cut")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0", "nothing but zeros")]
    [InlineData("no model at all, but words", "does not begin with a safetensors header")]
    public async Task What_came_instead_is_named(string text, string told) => Assert.Contains(told, await RefusalAsync(Encoding.UTF8.GetBytes(text)), StringComparison.Ordinal);

    [Theory]
    [InlineData("""[]""", 0, "does not begin")]
    [InlineData("""{"a":1}""", 0, "not described")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}""", 8, "not as long as its shape")]
    [InlineData("""{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}""", 1, "type that is not known")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}""", 1, "no place")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "one behind the other")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3, "one behind the other")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9223372036854775807,2],"data_offsets":[0,2]}}""", 2, "damaged")]
    [InlineData("""{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", 1, "damaged")]
    [InlineData("""{"a":{"dtype":7,"shape":[1],"data_offsets":[0,1]}}""", 1, "damaged")]
    [InlineData("""{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}""", 1, "damaged")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}} x""", 1, "damaged")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}""", 1, "damaged")]
    [InlineData("""{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":1}}}}}}}}}""", 0, "damaged")]
    public async Task A_damaged_header_is_refused(string header, int data, string told) => Assert.Contains(told, await RefusalAsync(FileOf(header, data)), StringComparison.Ordinal);

    [Fact]
    public async Task A_file_that_is_cut_is_told_with_both_sizes()
    {
        var bytes = FileOf(Two, 16);

        Assert.Contains($"has {bytes.Length - 1} bytes of {bytes.Length}", await RefusalAsync(bytes[..^1]), StringComparison.Ordinal);
        Assert.Contains("of", await RefusalAsync(bytes[..20]), StringComparison.Ordinal);
        Assert.Contains("its header speaks of", await RefusalAsync([.. bytes, 0]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_that_claims_to_be_enormous_takes_no_memory()
    {
        byte[] bytes = [.. BitConverter.GetBytes(ulong.MaxValue), (byte)'{', .. new byte[100]];
        Assert.Contains("does not begin", await RefusalAsync(bytes), StringComparison.Ordinal);

        bytes = [.. BitConverter.GetBytes((ulong)SafetensorsHeader.LongestHeader), (byte)'{', .. new byte[100]];
        // Other tests take memory at the same time; what is in memory already is read by this thread alone.
        var before = GC.GetAllocatedBytesForCurrentThread();
        var refusal = RefusalAsync(bytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000_000);
        Assert.Contains("it is cut", await refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_change_of_a_header_gives_a_header_or_a_clear_error()
    {
        var whole = FileOf(Two, 16);
        await CsCheck.Check.SampleAsync(
            CsCheck.Gen.Select(CsCheck.Gen.Int[0, whole.Length - 17], CsCheck.Gen.Byte, CsCheck.Gen.Int[0, whole.Length]),
            async change =>
            {
                var bytes = whole.ToArray();
                bytes[change.Item1] = change.Item2;
                try
                {
                    await ReadAsync(bytes[..change.Item3]);
                }
                catch (ComfyAuthException error)
                {
                    Assert.Equal("ModelFileInvalid", error.Code);
                    Assert.NotEmpty(error.Remedy);
                }
            },
            iter: 5000);
    }

    [Fact]
    public async Task A_file_that_is_not_there_or_no_file_is_an_error()
    {
        using var folder = new TemporaryFolder();

        Assert.Equal("FileMissing", (await Assert.ThrowsAsync<ComfyAuthException>(() => SafetensorsHeader.ReadFileAsync(folder.PathOf("none"), TestContext.Current.CancellationToken))).Code);
        await Assert.ThrowsAsync<ComfyAuthException>(() => SafetensorsHeader.ReadFileAsync(folder.Path, TestContext.Current.CancellationToken));
    }

    private static byte[] FileOf(string header, int data) => [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. Enumerable.Repeat((byte)7, data)];

    private static Task<SafetensorsHeader> ReadAsync(byte[] bytes) => SafetensorsHeader.ReadAsync(new MemoryStream(bytes), bytes.Length, "model", TestContext.Current.CancellationToken);

    private static async Task<string> RefusalAsync(byte[] bytes)
    {
        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => ReadAsync(bytes));
        Assert.Equal("ModelFileInvalid", error.Code);
        Assert.NotEmpty(error.Remedy);
        return error.Message;
    }
}
