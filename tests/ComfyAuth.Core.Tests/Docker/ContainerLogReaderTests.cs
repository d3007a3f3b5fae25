using System.Buffers.Binary;
using System.Text;
using ComfyAuth.Docker;
using CsCheck;

namespace ComfyAuth.Tests.Docker;

public sealed class ContainerLogReaderTests
{
    private const string Stamp = "2026-11-22T13:25:55.341339907Z ";
    private static readonly DateTimeOffset Time = new DateTimeOffset(2026, 11, 22, 13, 25, 55, TimeSpan.Zero).AddTicks(3413399);

    private static readonly string[] Pieces = ["", "a", "größe", "€", "𝄞", "x 2026-11-22", " ", "\t", Stamp, new('y', 300)];
    private static readonly Gen<string> Text = Gen.OneOf(Pieces).Array[0, 6].Select(string.Concat);

    [Fact]
    public void However_the_bytes_are_cut_the_lines_are_the_same() =>
        Gen.Select(Gen.Select(Gen.Bool, Text).List[0, 20], Gen.Int[1, 40].Array[1, 50], Gen.Int[1, 30])
            .Sample(
                (lines, cuts, frame) =>
                {
                    byte[] bytes = [.. lines.SelectMany(line => Frames(line.Item1, line.Item2 + "\n", frame))];

                    var read = Read(new(tty: false, timestamps: false), bytes, cuts);

                    Assert.Equal(lines.Where(line => !line.Item1).Select(line => line.Item2), Of(read, ContainerLogStream.StandardOutput));
                    Assert.Equal(lines.Where(line => line.Item1).Select(line => line.Item2), Of(read, ContainerLogStream.StandardError));
                },
                iter: 2000,
                threads: 1);

    [Fact]
    public void A_message_in_several_frames_loses_the_timestamps_in_the_middle_of_its_line() =>
        Gen.Select(Text.Array[1, 5], Gen.Int[1, 40].Array[1, 50])
            .Sample(
                (parts, cuts) =>
                {
                    parts[0] = "-" + parts[0];
                    byte[] bytes = [.. parts.SelectMany((part, index) => Frames(false, Stamp + part + (index == parts.Length - 1 ? "\n" : ""), 10_000))];

                    var line = Assert.Single(Read(new(tty: false, timestamps: true), bytes, cuts));

                    Assert.Equal((string.Concat(parts), Time), (line.Text, line.Timestamp!.Value));
                },
                iter: 1000,
                threads: 1);

    [Fact]
    public void Garbage_is_lines_or_an_error_and_nothing_else() =>
        Gen.Select(Gen.Byte.Array[0, 200], Gen.Bool, Gen.Bool, Gen.Int[1, 40].Array[1, 50])
            .Sample(
                (bytes, tty, timestamps, cuts) =>
                {
                    try
                    {
                        Read(new(tty, timestamps), bytes, cuts);
                    }
                    catch (InvalidDataException)
                    {
                        Assert.False(tty);
                    }
                },
                iter: 2000,
                threads: 1);

    [Theory]
    [InlineData("2026-11-22T13:25:55.341339907Z", "2026-11-22T13:25:55.3413399Z")]
    [InlineData("2026-11-22T13:25:55Z", "2026-11-22T13:25:55.0000000Z")]
    [InlineData("2026-11-22T13:25:55.3Z", "2026-11-22T13:25:55.3000000Z")]
    [InlineData("2026-11-22T13:25:55.341339907+02:00", "2026-11-22T11:25:55.3413399Z")]
    [InlineData("2026-11-22T13:25:5", null)]
    [InlineData("2026-13-22T13:25:55.341339907Z", null)]
    [InlineData("Traceback", null)]
    public void A_timestamp_is_read_or_is_text(string stamp, string? time)
    {
        var line = Assert.Single(Read(new(tty: true, timestamps: true), Encoding.UTF8.GetBytes(stamp + " text\r\n"), [7]));

        Assert.Equal(time, line.Timestamp?.UtcDateTime.ToString("o"));
        Assert.Equal(time is null ? stamp + " text" : "text", line.Text);
    }

    [Fact]
    public void An_error_of_the_engine_inside_the_stream_is_an_error()
    {
        var frame = Frames(false, "disk is gone", 100);
        frame[0] = 3;

        var error = Assert.Throws<InvalidDataException>(() => Read(new(tty: false, timestamps: false), frame, [5]));

        Assert.Contains("disk is gone", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_without_an_end_comes_in_pieces_that_cut_no_character()
    {
        var text = "x" + string.Concat(Enumerable.Repeat("€", 1_000_000));

        var read = Read(new(tty: true, timestamps: false), Encoding.UTF8.GetBytes(text), [65536]);

        Assert.Equal(3, read.Count);
        Assert.Equal(text, string.Concat(read.Select(line => line.Text)));
    }

    private static byte[] Frames(bool error, string text, int longest)
    {
        List<byte> frames = [];
        foreach (var part in Encoding.UTF8.GetBytes(text).Chunk(longest))
        {
            var header = new byte[8];
            header[0] = (byte)(error ? 2 : 1);
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), part.Length);
            frames.AddRange(header);
            frames.AddRange(part);
        }

        return [.. frames];
    }

    private static List<ContainerLogLine> Read(ContainerLogReader reader, byte[] bytes, int[] cuts)
    {
        List<ContainerLogLine> lines = [];
        for (int position = 0, cut = 0; position < bytes.Length; cut++)
        {
            var length = Math.Min(cuts[cut % cuts.Length], bytes.Length - position);
            reader.Append(bytes.AsSpan(position, length));
            position += length;
            lines.AddRange(reader.Take());
        }

        reader.Complete();
        lines.AddRange(reader.Take());
        return lines;
    }

    private static IEnumerable<string> Of(List<ContainerLogLine> lines, ContainerLogStream stream) =>
        lines.Where(line => line.Stream == stream).Select(line => line.Text);
}
