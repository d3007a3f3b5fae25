namespace ComfyAuth.Models;

/// <summary>What a model file on the disk is.</summary>
public enum ModelState
{
    /// <summary>There is none.</summary>
    Missing,

    /// <summary>It is whole, and the right one as far as that can be told.</summary>
    Whole,

    /// <summary>It is another one, damaged or cut.</summary>
    Wrong,
}
