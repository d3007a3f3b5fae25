namespace ComfyAuth.Installation;

/// <summary>A moment of a step at which tests interrupt it.</summary>
internal enum InstallMoment
{
    /// <summary>Before it looks.</summary>
    Begins,

    /// <summary>Before its first change.</summary>
    Changes,

    /// <summary>After its last change, before it is proven.</summary>
    Changed,

    /// <summary>After it is proven.</summary>
    Ends,
}
