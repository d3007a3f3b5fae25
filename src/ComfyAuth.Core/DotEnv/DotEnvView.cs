namespace ComfyAuth.DotEnv;

/// <summary>A whole file as one program sees it in one environment.</summary>
internal sealed class DotEnvView
{
    private readonly Dictionary<string, DotEnvStatement> _lastByName = [];

    public DotEnvView(List<DotEnvStatement> statements)
    {
        Statements = statements;
        Refusal = statements.Find(statement => statement.Reach == FailureReach.File);
        Stop = statements.Find(statement => statement.Reach == FailureReach.Rest);
        foreach (var statement in statements)
        {
            if (statement.Name is not null)
                _lastByName[statement.Name] = statement;
        }
    }

    public List<DotEnvStatement> Statements { get; }

    /// <summary>The statement for which the program refuses the file; null when it does not.</summary>
    public DotEnvStatement? Refusal { get; }

    /// <summary>The statement from which on nothing can be said; null when there is none.</summary>
    public DotEnvStatement? Stop { get; }

    /// <summary>The statement that decides on a key.</summary>
    public DotEnvStatement? Last(string name) => _lastByName.GetValueOrDefault(name);

    /// <summary>Whether the key gets this value from a statement that does not fail itself.</summary>
    public bool Gives(string name, string value) => Last(name) is { Failure: null } statement && statement.Value == value;
}
