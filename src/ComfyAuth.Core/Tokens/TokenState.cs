namespace ComfyAuth.Tokens;

/// <summary>What is the matter with a credential at one place; the first fault found is the one named.</summary>
public enum TokenState
{
    /// <summary>It is the source's, for everybody who reads the place.</summary>
    Match,

    /// <summary>The file or the variable is not there, or is empty.</summary>
    Missing,

    /// <summary>A well-formed value, but not the source's.</summary>
    Stale,

    /// <summary>A part of the hash is lost: cut in the file, or by Compose, which takes a run after <c>$</c> for a variable.</summary>
    Truncated,

    /// <summary>Quotes are part of the value that the reader gets.</summary>
    QuotedLiterally,

    /// <summary>A carriage return or other white space clings to the value: ComfyUI-Login's web login fails, bearer calls may pass.</summary>
    CarriageReturn,

    /// <summary>A UTF-8 byte order mark is part of the value: bearer calls get 401, the web login 500.</summary>
    ByteOrderMark,

    /// <summary>Every <c>$</c> of the hash stands twice.</summary>
    DoubledDollar,

    /// <summary>The <c>$</c> of the hash are lost, as a shell or an editor macro loses them.</summary>
    MissingDollar,

    /// <summary>Not a value of this role at all.</summary>
    Malformed,

    /// <summary>The password is not the one that the hash is of: bearer calls work, the web login does not.</summary>
    OtherPassword,

    /// <summary>The file is right, but a variable of the same name in this process's environment beats it.</summary>
    ShadowedByShell,

    /// <summary>The value is right, but others than the file's owner may read it.</summary>
    Exposed,

    /// <summary>A folder stands where the file belongs; Docker makes one when it mounts a file that is missing.</summary>
    IsDirectory,

    /// <summary>The place could not be read, so nothing is known about it.</summary>
    Unreadable,

    /// <summary>There is nothing to compare with: no source of truth, or nobody knows the password.</summary>
    Undetermined,

    /// <summary>The container was made with another value than Compose would give it today: recreating it helps, restarting it does not.</summary>
    NotRecreated,

    /// <summary><c>login/PASSWORD</c> is right, but the server has run since before it was written, and keeps what it read at its start.</summary>
    NotLoadedSinceStart,

    /// <summary>No password is set: an empty token has full access, and the first visitor of the web login sets the password.</summary>
    OpenWithoutPassword,

    /// <summary>The live server refuses the source's token.</summary>
    RefusedByServer,

    /// <summary>The live server lets in who has no token, or a wrong one.</summary>
    AcceptedWrongly,
}
