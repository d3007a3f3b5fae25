using ComfyAuth.Docker;

namespace ComfyAuth.Emulator.Engine;

/// <summary>The containers and the events of an engine. Whoever waits for something new waits for <see cref="Changed"/>.</summary>
internal sealed class EngineState(TimeProvider clock)
{
    // As many as the engine itself keeps for those who ask for the past.
    private const int KeptEvents = 256;

    private readonly Lock _lock = new();
    private readonly List<EmulatedContainer> _containers = [];
    private readonly LinkedList<(long Number, EngineEntry Entry)> _events = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastEvent;

    public TimeProvider Clock => clock;

    /// <summary>Is told of each start that the engine was asked for, before it answers.</summary>
    public Action<EmulatedContainer>? Starting { get; set; }

    /// <summary>Stands for the programs that are run in containers; null: none can be.</summary>
    public Func<EmulatedProgram, EmulatedExit>? Executing { get; set; }

    /// <summary>Is told of each container that ran and does not any more, before the engine answers.</summary>
    public Action<EmulatedContainer>? Ended { get; set; }

    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Ends at the next change. To be taken before looking, so that no change is missed.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock)
                return _changed.Task;
        }
    }

    public IReadOnlyList<EmulatedContainer> Containers
    {
        get
        {
            lock (_lock)
                return [.. _containers];
        }
    }

    /// <summary>The container with a name, an identifier, or its beginning; null: there is none.</summary>
    public EmulatedContainer? Find(string key)
    {
        lock (_lock)
        {
            return _containers.Find(container => container.Name == key)
                ?? (key.Length > 0 && _containers.FindAll(container => container.Id.StartsWith(key, StringComparison.Ordinal)) is [var only] ? only : null);
        }
    }

    public void Add(EmulatedContainer container)
    {
        lock (_lock)
        {
            if (_containers.Exists(other => other.Name == container.Name))
                throw new ArgumentException($"There is a container '{container.Name}' already.", nameof(container));
            _containers.Add(container);
            Tell();
        }
    }

    public void Remove(string name)
    {
        EmulatedContainer gone;
        lock (_lock)
        {
            if (_containers.Find(container => container.Name == name) is not { } found)
                return;
            gone = found;
            _containers.Remove(gone);
            Record(gone, "destroy");
        }

        if (gone.IsRunning)
            Ended?.Invoke(gone);
    }

    /// <summary>Changes a container, in one step with the check that comes before and the events that come of it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="change">Gives what it becomes, and the events; throws when it cannot be.</param>
    public void Change(string name, Func<EmulatedContainer, (EmulatedContainer Container, IEnumerable<(string Action, string Name, string Value)> Events)> change)
    {
        EmulatedContainer before, changed;
        lock (_lock)
        {
            var index = _containers.FindIndex(container => container.Name == name);
            if (index < 0)
                throw EngineError.NoContainer(name);
            before = _containers[index];
            (changed, var events) = change(before);
            _containers[index] = changed;
            foreach (var (action, detail, value) in events)
                Record(changed, action, detail, value);
            Tell();
        }

        if (before.IsRunning && !changed.IsRunning)
            Ended?.Invoke(changed);
    }

    public void Record(EmulatedContainer container, string action, string detail = "", string value = "")
    {
        lock (_lock)
        {
            _events.AddLast((++_lastEvent, new(Now, action, container, detail.Length == 0 ? new Dictionary<string, string>() : new() { [detail] = value })));
            if (_events.Count > KeptEvents)
                _events.RemoveFirst();
            Tell();
        }
    }

    /// <summary>The events that came after one, as far as they are kept.</summary>
    public IReadOnlyList<(long Number, EngineEntry Entry)> EventsAfter(long number)
    {
        lock (_lock)
            return [.. _events.Where(item => item.Number > number)];
    }

    public long LastEvent
    {
        get
        {
            lock (_lock)
                return _lastEvent;
        }
    }

    private void Tell()
    {
        _changed.TrySetResult();
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
