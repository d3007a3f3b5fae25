using System.Text.RegularExpressions;
using ComfyAuth.DotEnv;
using ComfyAuth.Secrets;

namespace ComfyAuth.Compose;

/// <summary>
/// The variables that Compose knows: those of its own environment and, behind them, those of <c>.env</c>; and what
/// interpolation with them makes of a tree.
/// </summary>
internal sealed partial class ComposeEnvironment
{
    /// <summary>What all substitutions of all files together may insert, in characters.</summary>
    private const int MaximumInserted = 16_000_000;

    /// <summary>Nobody reads as many as these, and remembering them without bound would exhaust the memory.</summary>
    private const int MaximumProblems = 10_000;

    /// <summary>The length of <c>$2b$$12</c>.</summary>
    private const int LongestHashHead = 7;

    private readonly Func<string, string?> _shell;
    private readonly Dictionary<string, DotEnvReading> _readings = [];
    private readonly string? _path;
    private long _inserted;
    private int _problemCount;

    /// <summary>Reads the <c>.env</c> file.</summary>
    /// <param name="shell">Compose's own environment.</param>
    /// <param name="path">The <c>.env</c> file; null for none.</param>
    /// <param name="consumer">Who reads it.</param>
    public ComposeEnvironment(Func<string, string?> shell, string? path, DotEnvConsumer consumer)
    {
        _shell = shell;
        _path = path;
        Consumer = consumer;
        if (path is null)
            return;
        foreach (var reading in ReadFile(path, consumer, shell))
            _readings[reading.Name] = reading;
    }

    /// <summary>The version of Compose that reads the files.</summary>
    public DotEnvConsumer Consumer { get; }

    /// <summary>Reads an environment file.</summary>
    /// <exception cref="ComfyAuthException"><c>DotEnvSyntax</c>, <c>ComposeFileUnreadable</c>.</exception>
    public static IEnumerable<DotEnvReading> ReadFile(string path, DotEnvConsumer consumer, Func<string, string?> lookup) =>
        DotEnvDocument.Parse(BoundedFile.ReadBytes(path), path).ReadAll(consumer, lookup);

    /// <summary>The value of a variable; the shell's beats the file's.</summary>
    public string? Lookup(string name)
    {
        var value = _shell(name) ?? _readings.GetValueOrDefault(name)?.Value;
        if ((_inserted += value?.Length ?? 0) > MaximumInserted)
            throw new ComfyAuthException("ComposeFileInvalid", "The variables of the compose files expand to more than 16,000,000 characters.", "Check for variables that repeat each other.");
        return value;
    }

    /// <summary>The faults of a value that comes out of an environment file.</summary>
    public static IEnumerable<InterpolationProblem> ProblemsOf(DotEnvReading reading, string file, string setting)
    {
        if (reading.Failure is not null)
        {
            yield return new InterpolationProblem
            {
                Kind = InterpolationProblemKind.Refused,
                Setting = setting,
                Place = new ComposePlace(file, reading.FailureLine ?? reading.Line, reading.FailureLine is { } line && line != reading.Line ? 1 : reading.Column),
                Variable = reading.Name,
                Message = $"Compose does not pass {reading.Name} on: the line {reading.Failure}",
            };
        }

        foreach (var run in reading.Dropped)
        {
            var isHash = CutHash().IsMatch(reading.Value ?? "");
            yield return new InterpolationProblem
            {
                Kind = isHash ? InterpolationProblemKind.HashCut : InterpolationProblemKind.UndefinedVariable,
                Setting = setting,
                Place = new ComposePlace(file, run.Line, run.Column),
                Variable = reading.Name,
                Message = isHash
                    ? $"the bcrypt hash of {reading.Name} loses {run.Text.Length} characters, which Compose v2 takes for a variable"
                    : $"{reading.Name} loses {run.Text.Length} characters, which are taken for a variable that is not defined",
            };
        }
    }

    /// <summary>A tree with the variables in its values replaced; keys are left alone, as Compose leaves them.</summary>
    /// <param name="node">The tree of one file.</param>
    /// <param name="setting">Where it stands, such as <c>services.web</c>.</param>
    public ComposeNode Interpolate(ComposeNode node, string setting) => Interpolate(node, new Setting(null, setting));

    private ComposeNode Interpolate(ComposeNode node, Setting setting) => node switch
    {
        ComposeMapping map => new ComposeMapping(map.Place, map.Entries.ToDictionary(
            pair => pair.Key,
            pair => pair.Value with { Value = Interpolate(pair.Value.Value, new Setting(setting, pair.Key)) })) { Tag = map.Tag },
        ComposeSequence list => new ComposeSequence(list.Place, [.. list.Items.Select((item, index) => Interpolate(item, new Setting(setting, index)))]) { Tag = list.Tag },
        ComposeScalar { Text: { } text } scalar when text.Contains('$', StringComparison.Ordinal) => InterpolateScalar(scalar, text, setting),
        _ => node,
    };

    private ComposeScalar InterpolateScalar(ComposeScalar scalar, string text, Setting setting)
    {
        var variables = new HashSet<string>();
        var result = DotEnvInterpolation.Interpolate(text, name =>
        {
            variables.Add(name);
            return Lookup(name);
        });

        if ((_problemCount += result.DroppedAt.Count) > MaximumProblems)
            throw scalar.Error("more than 10,000 variables are not defined", "Check that it is the right file.");

        var name = setting.ToString();
        ComposePlace At(int offset) => scalar.TextColumn is { } column ? scalar.Place with { Column = column + offset } : scalar.Place;
        var isSecret = SecretRedactor.IsSecretName(setting.KeyOf(text));
        var problems = new List<InterpolationProblem>();
        if (result.Failure is { } failure)
        {
            problems.Add(new InterpolationProblem
            {
                Kind = InterpolationProblemKind.Refused,
                Setting = name,
                Place = At(result.FailureOffset),
                Message = $"the value {failure}",
            });
        }

        var isHashLost = false;
        foreach (var run in result.DroppedAt)
        {
            var isHash = HashBeforeRun().IsMatch(text.AsSpan(run.Offset - Math.Min(run.Offset, LongestHashHead), Math.Min(run.Offset, LongestHashHead)));
            isHashLost |= isHash;
            // A piece of a password may look like a variable; only braces show that one was meant.
            var shown = !isHash && (run.Text[1] == '{' || (!isSecret && NameOfVariable().IsMatch(run.Name))) ? run.Name : null;
            problems.Add(new InterpolationProblem
            {
                Kind = isHash ? InterpolationProblemKind.HashCut : InterpolationProblemKind.UndefinedVariable,
                Setting = name,
                Place = At(run.Offset),
                Variable = shown,
                Message = isHash ? $"a bcrypt hash loses {run.Text.Length} characters, which are taken for a variable"
                    : shown is not null ? $"the variable {shown} is not defined, so nothing stands in its place"
                    : $"{run.Text.Length} characters after a $ are taken for a variable that is not defined, and are lost",
            });
        }

        if (!isHashLost && BareHash().Match(text) is { Success: true } bare)
        {
            problems.Add(new InterpolationProblem
            {
                Kind = InterpolationProblemKind.HashNotEscaped,
                Setting = name,
                Place = At(bare.Index),
                Message = "a bcrypt hash stands in the file with single $: docker-compose 1.29 refuses that, and Compose v2 cuts most such hashes",
            });
        }

        foreach (var variable in variables.Where(variable => _readings.ContainsKey(variable) && _shell(variable) is null))
            problems.AddRange(ProblemsOf(_readings[variable], _path!, name));
        return new ComposeScalar(scalar.Place, result.Failure is null ? result.Value : "")
        {
            Tag = scalar.Tag,
            Variables = variables,
            Problems = problems,
        };
    }

    [GeneratedRegex(@"\$2[abxy]\${1,2}[0-9]{2}\z", RegexOptions.CultureInvariant)]
    private static partial Regex HashBeforeRun();

    [GeneratedRegex(@"(?<!\$)\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]", RegexOptions.CultureInvariant)]
    private static partial Regex BareHash();

    // What is left of a hash that lost a run: the cost is followed by less than salt and digest.
    [GeneratedRegex(@"\$2[abxy]\$[0-9]{2}(?!\$)", RegexOptions.CultureInvariant)]
    private static partial Regex CutHash();

    [GeneratedRegex(@"\A[A-Z][A-Z0-9_]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex NameOfVariable();

    /// <summary>Where a value stands; written out only when it is asked for.</summary>
    private sealed class Setting
    {
        private readonly Setting? _above;
        private readonly string? _key;
        private readonly int _index;

        public Setting(Setting? above, string key) => (_above, _key) = (above, key);

        public Setting(Setting above, int index) => (_above, _index) = (above, index);

        /// <summary>The name that tells whether a value is secret: in a list that of <c>KEY=value</c>, otherwise the key.</summary>
        public string? KeyOf(string text) =>
            _key is null && text.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals ? text[..equals] : _key;

        public override string ToString() =>
            _key is null ? $"{_above}[{_index}]" : _above is null ? _key : $"{_above}.{_key}";
    }
}
