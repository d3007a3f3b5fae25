using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using ComfyAuth.Secrets;

namespace ComfyAuth.Benchmarks;

/// <summary>Our bcrypt against the one in C of libxcrypt, one hash of cost 12 each, in the same run.</summary>
[SimpleJob(warmupCount: 2, iterationCount: 15, invocationCount: 4)]
[MemoryDiagnoser(displayGenColumns: false)]
public class BcryptBenchmarks
{
    private const string Library = "libcrypt.so.1";

    private readonly SecretText _password = new("correct horse battery staple");
    private readonly byte[] _passwordOfC = [.. "correct horse battery staple\0"u8];
    private readonly byte[] _settingOfC = [.. "$2b$12$CCCCCCCCCCCCCCCCCCCCC.\0"u8];

    /// <summary>crypt(3); on a system without libxcrypt it fails, and the table has no ratio.</summary>
    [Benchmark(Baseline = true, Description = "crypt(3), C")]
    public nint SystemCrypt() => crypt(_passwordOfC, _settingOfC);

    /// <summary>Core.</summary>
    [Benchmark(Description = "Bcrypt.Hash, C#")]
    public BcryptHash Hash() => Bcrypt.Hash(_password);

    [DllImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint crypt(byte[] password, byte[] setting);
}
