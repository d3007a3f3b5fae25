using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ComfyAuth.Tests;

/// <summary>Ports for servers that are started later, or in another process.</summary>
public static class FreePort
{
    // Systems give connections, and whoever asks for port 0, a port above these: from 32768 on Linux does, from 49152 on the others.
    // One of theirs that is free now may be in use a moment later.
    private const int First = 10_000;
    private const int Last = 32_767;

    // A port is given to one test only, also where several test projects run at the same time and nobody listens at it for a moment:
    // whoever was given one holds the port of the same number for UDP, which nobody else needs, until the process ends.
    private static readonly ConcurrentBag<Socket> Reserved = [];

    // Test projects that run at the same time begin in different places, far from each other also where their processes have neighbouring
    // numbers: the step is the golden section of the range.
    private static uint Given = (uint)Environment.ProcessId * 14_071;

    /// <summary>A port that nobody listens at, and that no other test is given.</summary>
    public static int Next()
    {
        for (var tried = First; tried <= Last; tried++)
        {
            var address = new IPEndPoint(IPAddress.Loopback, First + (int)(Interlocked.Increment(ref Given) % (Last - First + 1)));
            var reserved = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                reserved.Bind(address);
                socket.Bind(address);
                Reserved.Add(reserved);
                return address.Port;
            }
            catch (SocketException)
            {
                // Somebody has it.
                reserved.Dispose();
            }
        }

        throw new InvalidOperationException($"None of the ports {First} to {Last} is free.");
    }
}
