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

    // Test projects that run at the same time begin in different places, far from each other also where their processes have neighbouring
    // numbers: the step is the golden section of the range.
    private static uint Given = (uint)Environment.ProcessId * 14_071;

    /// <summary>A port that nobody listens at, another one each time.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = First + (int)(Interlocked.Increment(ref Given) % (Last - First + 1));
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }
}
