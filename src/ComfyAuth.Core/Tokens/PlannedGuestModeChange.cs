namespace ComfyAuth.Tokens;

/// <summary>Switching the guest mode of one service, for a person to approve. Holds no secret.</summary>
public sealed class PlannedGuestModeChange : PlannedChange
{
    internal PlannedGuestModeChange(string file, GuestModeState state)
        : base(file, $"Switch guest mode {(state == GuestModeState.On ? "on" : "off")}") =>
        State = state;

    /// <summary>The state that it would have.</summary>
    public GuestModeState State { get; }
}
