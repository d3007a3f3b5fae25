using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>What waits, what runs and what has run, from one start of the program to the next.</summary>
/// <param name="changed">
/// Is called whenever a prompt comes, is taken or goes, with the number of those that wait or run; before anything else can happen
/// to the queue, so that it is told in the order in which it happened.
/// </param>
internal sealed class PromptQueue(Action<int> changed) : IDisposable
{
    private const int LongestHistory = 10_000;

    private readonly Lock _gate = new();
    private readonly List<QueuedPrompt> _pending = [];
    private readonly OrderedDictionary<string, JsonObject> _history = [];
    private readonly Channel<bool> _added = Channel.CreateUnbounded<bool>();
    private QueuedPrompt? _running;
    private CancellationTokenSource? _interrupt;

    // The real one counts from 0.
    private int _next;

    /// <summary>How many wait or run.</summary>
    public int Remaining
    {
        get
        {
            lock (_gate)
                return RemainingNow();
        }
    }

    /// <summary>The number of the next prompt; one that goes to the front gets it negative.</summary>
    public double NextNumber(bool toFront)
    {
        lock (_gate)
            return toFront ? -_next++ : _next++;
    }

    public void Add(QueuedPrompt prompt)
    {
        lock (_gate)
        {
            // Behind those of the same number.
            var place = _pending.FindIndex(other => other.Number > prompt.Number);
            _pending.Insert(place < 0 ? _pending.Count : place, prompt);
            changed(RemainingNow());
        }

        _added.Writer.TryWrite(true);
    }

    /// <summary>Takes the next prompt as soon as there is one.</summary>
    /// <param name="stop">Gives up.</param>
    /// <returns>The prompt, a copy of its nodes that is nobody else's, and what ends when it is interrupted.</returns>
    public async Task<(QueuedPrompt Prompt, JsonObject Nodes, CancellationToken Interrupt)> TakeAsync(CancellationToken stop)
    {
        while (true)
        {
            lock (_gate)
            {
                if (_pending.Count > 0)
                {
                    _running = _pending[0];
                    _pending.RemoveAt(0);
                    _interrupt = new();
                    changed(RemainingNow());
                    return (_running, _running.Nodes.DeepClone().AsObject(), _interrupt.Token);
                }
            }

            await _added.Reader.ReadAsync(stop);
        }
    }

    /// <summary>Moves what runs to the history.</summary>
    /// <param name="outcome">Its outputs, status and meta data.</param>
    public void Finish(JsonObject outcome)
    {
        lock (_gate)
        {
            var entry = new JsonObject { ["prompt"] = _running!.Describe() };
            foreach (var (name, value) in outcome)
                entry[name] = value?.DeepClone();
            _history[_running.Id] = entry;
            if (_history.Count > LongestHistory)
                _history.RemoveAt(0);
            _interrupt?.Dispose();
            (_running, _interrupt) = (null, null);
            changed(RemainingNow());
        }
    }

    /// <summary>Interrupts what runs.</summary>
    /// <param name="id">Only if it is this prompt; null: whatever it is.</param>
    public void Interrupt(string? id = null)
    {
        lock (_gate)
        {
            if (id is null || _running?.Id == id)
                _interrupt?.Cancel();
        }
    }

    /// <summary>Removes what waits.</summary>
    /// <param name="ids">These prompts; null: all.</param>
    public void Remove(IReadOnlyCollection<string>? ids = null)
    {
        lock (_gate)
        {
            if (_pending.RemoveAll(prompt => ids?.Contains(prompt.Id) != false) > 0 || ids is null)
                changed(RemainingNow());
        }
    }

    /// <summary>Removes what has run.</summary>
    /// <param name="ids">These prompts; null: all.</param>
    public void Forget(IReadOnlyCollection<string>? ids = null)
    {
        lock (_gate)
        {
            if (ids is null)
                _history.Clear();
            foreach (var id in ids ?? [])
                _history.Remove(id);
        }
    }

    public JsonObject Describe()
    {
        lock (_gate)
        {
            return new()
            {
                ["queue_running"] = _running is null ? [] : new JsonArray(_running.Describe()),
                ["queue_pending"] = new JsonArray([.. _pending.Select(prompt => prompt.Describe())]),
            };
        }
    }

    /// <summary>What has run, oldest first.</summary>
    /// <param name="most">At most so many, the newest; null: all.</param>
    /// <param name="offset">How many are left out at the beginning; null: as many as must be.</param>
    public JsonObject History(int? most = null, int? offset = null)
    {
        lock (_gate)
        {
            var from = offset is >= 0 ? offset.Value : most is null ? 0 : Math.Max(0, _history.Count - most.Value);
            return new(_history.Skip(from).Take(most ?? int.MaxValue).Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value.DeepClone())));
        }
    }

    /// <summary>One prompt that has run, under its id; nothing for others.</summary>
    public JsonObject History(string id)
    {
        lock (_gate)
            return _history.TryGetValue(id, out var entry) ? new() { [id] = entry.DeepClone() } : [];
    }

    public void Dispose() => _interrupt?.Dispose();

    private int RemainingNow() => _pending.Count + (_running is null ? 0 : 1);
}
