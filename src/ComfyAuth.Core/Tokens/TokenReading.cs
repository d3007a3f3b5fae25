using System.Text;
using ComfyAuth.DotEnv;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>What one reader of a place gets.</summary>
/// <param name="Reader">The reader, as a person would name it; null where every reader gets the same.</param>
/// <param name="Value">The value.</param>
/// <param name="Dropped">What the reader lost on the way.</param>
internal sealed record SeenValue(string? Reader, string Value, IReadOnlyList<DroppedRun> Dropped);

/// <summary>What stands at one place, for each of its readers.</summary>
internal sealed record TokenReading
{
    public required ServiceDefinition Service { get; init; }

    public required TokenLocation Location { get; init; }

    public required StackFileContent File { get; init; }

    /// <summary>Set where there is no value to judge.</summary>
    public TokenState? Problem { get; init; }

    public string Evidence { get; init; } = "";

    /// <summary>Whether writing the value mends <see cref="Problem"/>; not so where another line is at fault.</summary>
    public bool IsRepairable { get; init; }

    public int? Line { get; init; }

    /// <summary>What each reader gets; empty where <see cref="Problem"/> is set.</summary>
    public IReadOnlyList<SeenValue> Seen { get; init; } = [];

    /// <summary>The value as it was meant: before anybody interpolates.</summary>
    public string? Written { get; init; }

    /// <summary>The user name that a PASSWORD file carries on its second line.</summary>
    public string? UserName { get; init; }

    /// <summary>Whether the place need not hold anything, and does not.</summary>
    public bool IsOptionalAndMissing => Problem == TokenState.Missing && Location.Presence switch
    {
        // An empty PASSWORD file is no missing one: it lets the first visitor in.
        TokenPresence.WhenPresent => File.Problem == TokenState.Missing || Location.Format == TokenFormat.DotEnv,
        TokenPresence.WhenFileExists => File.Problem == TokenState.Missing,
        _ => false,
    };

    /// <summary>What a <c>PASSWORD</c> file that stands there without a password to read means to the login; null where it asks for one.</summary>
    public string? Opening => Location.Format != TokenFormat.PasswordFile ? null : Problem switch
    {
        TokenState.Missing when File.Problem is null => LivePassword.Hole,
        TokenState.IsDirectory or TokenState.Malformed => LivePassword.NotLoaded,
        _ => null,
    };

    /// <summary>Reads a place.</summary>
    public static TokenReading Of(ServiceDefinition service, TokenLocation location, StackFiles files, Func<string, string?> shell)
    {
        var file = files.Get(location.Path);
        var reading = new TokenReading { Service = service, Location = location, File = file };
        if (file.Problem is not null)
            return reading with { Problem = file.Problem, Evidence = file.Evidence };

        return location.Format == TokenFormat.DotEnv
            ? reading.OfVariable(location.Variable!, location.Consumers, shell)
            : reading.OfWholeFile(location.Format);
    }

    /// <summary>A variable as a container has it: nobody interpolates it any more.</summary>
    public static TokenReading OfContainer(ServiceDefinition service, string container, string variable, TokenRole role, string value)
    {
        var reading = new TokenReading
        {
            Service = service,
            Location = new() { Path = container, Format = TokenFormat.DotEnv, Variable = variable, Role = role, Consumers = DotEnvConsumer.None },
            File = new(container),
        };
        return value.Length == 0
            ? reading with { Problem = TokenState.Missing, Evidence = $"{variable} is empty." }
            : reading with { Seen = [new(null, value, [])], Written = value };
    }

    /// <summary>A <c>PASSWORD</c> file as a container has it.</summary>
    public static TokenReading OfContainer(ServiceDefinition service, string path, byte[] content) => new TokenReading
    {
        Service = service,
        Location = new() { Path = path, Format = TokenFormat.PasswordFile },
        File = new(path) { Bytes = content },
    }.OfWholeFile(TokenFormat.PasswordFile);

    private TokenReading OfVariable(string variable, DotEnvConsumer consumers, Func<string, string?> shell)
    {
        try
        {
            // Compose v1 expands ${NAME} only, which no hash holds: what it sees is what was meant. Where it cannot read the
            // line, what the first of the place's own readers gets is.
            var readers = DotEnvReader.For(consumers);
            var line = File.Document.Read(variable, DotEnvConsumer.ComposeV1);
            var written = line?.Value ?? File.Read(variable, readers[0].Consumer, shell)?.Value;
            if (line is null or { IsInherited: true } || written is "")
            {
                var stands = File.Document.Entries.Any(entry => entry.Name == variable);
                return this with { Problem = TokenState.Missing, Evidence = stands ? $"{variable} has no value." : $"The file has no {variable}." };
            }

            var seen = new List<SeenValue>();
            foreach (var reader in readers)
            {
                var reading = File.Read(variable, reader.Consumer, shell)!;
                if (reading.Failure is not null)
                {
                    return this with
                    {
                        Problem = TokenState.Malformed,
                        Written = written,
                        Line = reading.FailureLine,
                        IsRepairable = reading.FailureLine == line.Line,
                        Evidence = $"{reader.Title} cannot read line {reading.FailureLine}: it {reading.Failure}.",
                    };
                }

                seen.Add(new(reader.Title, reading.Value ?? "", reading.Dropped));
            }

            return this with { Seen = seen, Written = written, Line = line.Line };
        }
        catch (DotEnvSyntaxException error)
        {
            return this with { Problem = TokenState.Malformed, Evidence = error.Message, Line = error.Line };
        }
    }

    private TokenReading OfWholeFile(TokenFormat format)
    {
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.Bytes!);
        }
        catch (DecoderFallbackException)
        {
            return this with { Problem = TokenState.Malformed, Evidence = "The file is not UTF-8 text." };
        }

        var lines = text.Split('\n');
        if (lines[0].Trim('\uFEFF', '\r', ' ', '\t').Length == 0)
            return this with { Problem = TokenState.Missing, Evidence = "The file's first line is empty." };
        if (format == TokenFormat.TokenFile && lines.Skip(1).Any(line => line.Trim().Length > 0))
            return this with { Problem = TokenState.Malformed, Evidence = "The file holds more than one line." };

        var userName = format == TokenFormat.PasswordFile ? lines.ElementAtOrDefault(1)?.TrimEnd('\r') : null;
        return this with { Seen = [new(null, lines[0], [])], Written = lines[0], Line = 1, UserName = userName is "" ? null : userName };
    }
}
