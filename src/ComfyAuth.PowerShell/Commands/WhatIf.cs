using System.Management.Automation;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Whether a cmdlet only says what it would do; then it gives no output.</summary>
internal static class WhatIf
{
    /// <summary>Belongs on the pipeline thread.</summary>
    public static bool IsOn(PSCmdlet cmdlet) =>
        cmdlet.MyInvocation.BoundParameters.TryGetValue("WhatIf", out var given)
            ? given is SwitchParameter asked && asked
            : LanguagePrimitives.IsTrue(cmdlet.GetVariableValue("WhatIfPreference"));
}
