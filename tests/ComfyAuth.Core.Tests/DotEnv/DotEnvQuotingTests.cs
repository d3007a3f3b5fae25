using System.Diagnostics;
using System.Text;
using ComfyAuth.DotEnv;
using CsCheck;

namespace ComfyAuth.Tests.DotEnv;

public sealed class DotEnvQuotingTests
{
    public static TheoryData<string, int, string> Quotes =>
        [.. DotEnvTables.Rows("quotes.tsv").Select(row => (row[0], int.Parse(row[1], null), row[2]))];

    [Theory]
    [MemberData(nameof(Quotes))]
    public void The_form_that_is_right_for_all_is_chosen(string value, int consumers, string form)
    {
        if (form is ['!', .. var who])
        {
            var error = Assert.Throws<ComfyAuthException>(() => DotEnvQuoting.Quote(value, (DotEnvConsumer)consumers));
            Assert.Equal("DotEnvValueCannotBeQuoted", error.Code);
            Assert.Contains(who, error.Message, StringComparison.Ordinal);
            Assert.Contains("token file", error.Remedy, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(form, DotEnvQuoting.Quote(value, (DotEnvConsumer)consumers));
        }
    }

    [Fact]
    public void Whatever_is_quoted_is_read_back_by_each_program() =>
        Gen.Select(DotEnvGen.Value, DotEnvGen.Consumers).Sample((value, consumers) =>
        {
            string form;
            try
            {
                form = DotEnvQuoting.Quote(value, consumers);
            }
            catch (ComfyAuthException error) when (error.Code == "DotEnvValueCannotBeQuoted")
            {
                return consumers != DotEnvConsumer.ComposeV2 && consumers != DotEnvConsumer.Shell;
            }

            // A file for docker run or bash alone may be one that Compose v2 refuses; the document cannot hold it then.
            if (!consumers.HasFlag(DotEnvConsumer.ComposeV2))
                return true;
            var document = DotEnvDocument.Parse(DotEnvTables.Bytes($"A=1\nK={form}\nB='2'\n"));
            return DotEnvGen.Single(consumers).All(consumer =>
                document.Read("K", consumer) is { Failure: null } reading && reading.Value == value
                && document.Read("B", consumer) is { Failure: null });
        }, iter: 6000);

    [Theory]
    [InlineData(0)]
    [InlineData(0xD800)]
    [InlineData(0xDC00)]
    public void A_value_that_no_file_can_hold_is_refused(int character)
    {
        var error = Assert.Throws<ComfyAuthException>(() => DotEnvQuoting.Quote($"a{(char)character}b", DotEnvConsumer.ComposeV2));

        Assert.Equal("DotEnvValueInvalid", error.Code);
    }

    [Fact]
    public void No_consumer_is_an_error_of_the_caller() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => DotEnvQuoting.Quote("a", DotEnvConsumer.None));

    [Fact]
    public async Task Bash_itself_reads_back_what_is_quoted_for_it()
    {
        Assert.SkipUnless(File.Exists("/bin/bash") || File.Exists("/usr/bin/bash"), "There is no bash here.");
        var stop = TestContext.Current.CancellationToken;

        // The same ones each time, and first those that were read back wrong: which bash there is decides, not which values it gets.
        string[] values =
        [
            "\uFEFFa", "\\$\u007F(1&=", "\u2028\\$\u007F(\u0001\t%:", "$\u0001(x", "$\u0001\u007F{x", "$\u007F[x", "\t$\u0001(", "\t$\u007F${A}", "\n'$\u0001{'\n",
            .. DotEnvGen.Value.Array[400].Single(_ => true, "0N0XIzNsQ0O2"),
        ];
        var folder = Directory.CreateTempSubdirectory("dotenv-");
        try
        {
            var file = Path.Combine(folder.FullName, "test.env");
            await File.WriteAllTextAsync(
                file, string.Concat(values.Select((value, i) => $"K{i}={DotEnvQuoting.Quote(value, DotEnvConsumer.Shell)}\n")), stop);
            var start = new ProcessStartInfo("bash")
            {
                RedirectStandardOutput = true,
                ArgumentList = { "--norc", "-c", "set -a; . \"$0\"; for ((i = 0; i < $1; i++)); do k=K$i; printf '%s\\0' \"${!k}\"; done", file, $"{values.Length}" },
            };
            using var bash = Process.Start(start)!;

            // A reader of text would take a mark at the beginning of the first value for one of the whole output.
            using var output = new MemoryStream();
            await bash.StandardOutput.BaseStream.CopyToAsync(output, stop);
            await bash.WaitForExitAsync(stop);

            Assert.Equal(values, Encoding.UTF8.GetString(output.ToArray()).Split('\0')[..^1]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
