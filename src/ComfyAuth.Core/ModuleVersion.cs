using System.Reflection;

namespace ComfyAuth;

/// <summary>The version of this module.</summary>
internal static class ModuleVersion
{
    /// <summary>As in the manifest, without what the build adds.</summary>
    public static string Current { get; } =
        typeof(ModuleVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
