using System.Reflection;
using System.Runtime.Loader;

namespace ComfyAuth.Loader;

/// <summary>
/// Where ComfyAuth.dll and everything it depends on are loaded, so that our versions of shared libraries and those
/// of the host or of other modules never meet. What is not in our folder, PowerShell and the framework above all,
/// comes from the default context.
/// </summary>
public sealed class LoadContext : AssemblyLoadContext
{
    private static readonly object Gate = new();
    private static volatile Assembly? Shell;

    private readonly string _folder;

    // Not collectible: PowerShell keeps types of the module for as long as the process lives.
    private LoadContext(string folder)
        : base("ComfyAuth", isCollectible: false)
        => _folder = folder;

    /// <summary>
    /// Loads the assembly of the cmdlets into the context; later calls, from any runspace, get the
    /// same assembly.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// An assembly with another version was loaded earlier in this process, which cannot be undone.
    /// </exception>
    /// <param name="path">The full path of the assembly to load.</param>
    /// <returns>The assembly of the cmdlets.</returns>
    public static Assembly LoadShell(string path)
    {
        if (Shell is null)
        {
            lock (Gate)
                Shell ??= new LoadContext(Path.GetDirectoryName(path)!).LoadFromAssemblyPath(path);
        }

        var loaded = Shell.GetName().Version;
        var wanted = AssemblyName.GetAssemblyName(path).Version;
        return loaded == wanted
            ? Shell
            : throw new InvalidOperationException(
                $"ComfyAuth {loaded} is already loaded from '{Shell.Location}'; a process keeps the first version it loads. Start a new PowerShell session to use {wanted}.");
    }

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        ArgumentNullException.ThrowIfNull(assemblyName);

        var path = Path.Combine(_folder, assemblyName.Name + ".dll");
        return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
    }
}
