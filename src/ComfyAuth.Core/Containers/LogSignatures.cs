namespace ComfyAuth.Containers;

/// <summary>The texts that pip, git, apt, the engine, PyTorch, ComfyUI and others write, and what they mean.</summary>
internal static class LogSignatures
{
    private const string Size = @"(?<size>[0-9][0-9.,]*( |)([kKMGT]i?)?B)";

    /// <summary>The signatures. Of those of one topic the first that is found in a line counts.</summary>
    public static IReadOnlyList<LogSignature> All { get; } =
    [
        new(LogTopic.Install, @"^\s*Collecting (?<package>[^\s(;<>=!~\[]+)", "pip looks for packages"),
        new(LogTopic.Install, $@"^\s*Downloading (?<package>\S+) \({Size}", "a package is downloaded"),
        new(LogTopic.Install, @"^\s*(Downloading|Using cached) (?<package>\S{1,400})", "a package is downloaded"),
        new(LogTopic.Install, @"[0-9.]{1,12}/(?<size>[0-9.]{1,12} [kMG]?B)\s.{0,600}\beta\b", "a package is downloaded"),
        new(LogTopic.Install, "^Installing collected packages: (?<package>.+)", "pip installs the packages"),
        new(LogTopic.Install, @"^\s*Building wheels? for (collected packages: )?(?<package>[^\s(,]+)", "pip builds a package"),
        new(LogTopic.Install, @"^\s*(Installing build dependencies|Getting requirements to build|Preparing (editable )?metadata|Preparing wheel metadata|Running setup\.py)", "pip prepares a package"),
        new(LogTopic.Install, @"^(Looking in (indexes|links):|Requirement already satisfied: |Obtaining file:|Processing \./)", "pip looks for packages"),
        new(LogTopic.Install, "^Successfully (installed|built) ", "pip has installed packages"),
        new(LogTopic.Install, @"^\s*(Resolved|Prepared|Downloaded|Installed|Uninstalled|Audited) [0-9]{1,5} packages?\b", "uv installs packages"),
        new(LogTopic.Install, "^Cloning into (bare repository )?'(?<package>[^']+)'", "git clones a repository"),
        new(LogTopic.Install, "^(remote: )?(Enumerating|Counting|Compressing|Receiving|Resolving) (objects|deltas): |^Updating files: ", "git clones a repository"),
        new(LogTopic.Install, $@"^Get:[0-9]+ \S+ \S+ \S+ (?<package>\S+) \S+ \S+ \[{Size}\]", "apt downloads packages"),
        new(LogTopic.Install, "^(Get|Hit|Ign):[0-9]{1,5} ", "apt reads its lists"),
        new(LogTopic.Install, @"^(Unpacking|Setting up) (?<package>\S{1,400}) \(|^Selecting previously unselected package (?<package>[^\s:]{0,400}[^.\s:])|^Preparing to unpack ", "apt installs packages"),
        new(LogTopic.Install, "^(Collecting package metadata|Solving environment|Downloading and Extracting Packages|(Preparing|Verifying|Executing) transaction)", "conda installs packages"),
        new(LogTopic.Install, "^Fetching (?<package>[0-9]+ files)", "files are downloaded from the model hub"),
        new(LogTopic.Install, @"^(?<package>[^\s:]+\.(safetensors|sft|ckpt|pt|pth|bin|gguf|onnx|zip|tar\.gz)):\s+[0-9]+%\|[^|]*\|\s*[0-9.]+[kMGT]?/(?<size>[0-9.]+[kMGT]?)", "a file is downloaded"),
        new(LogTopic.Install, "^(Saving to: |saving to ).(?<package>[^'’]+)", "wget downloads a file"),
        new(LogTopic.Install, @"^\s*[0-9]+K( [.,]{1,10}){1,5} +[0-9]+% ", "wget downloads a file"),
        new(LogTopic.Install, @"^\[#[0-9a-f]+ [^/\s]+/(?<size>[0-9.]+[KMG]?i?B)\([0-9]+%\)", "aria2 downloads a file"),
        new(LogTopic.Install, @"^\s*[0-9]{1,3}\s+[0-9.]+[kMGT]?\s+[0-9]{1,3}\s+[0-9.]+[kMGT]?\s+0\s+0\s", "curl downloads a file"),

        new(LogTopic.Boot, @"ComfyUI startup time|^Total VRAM |^pytorch version: |^Set vram state to: |^Import times for custom nodes|^Starting server|To see the GUI go to: |Uvicorn running on |Application startup complete|^INFO:\s+Started server process", "the program itself starts"),
        new(LogTopic.Listening, @"(To see the GUI go to:|Uvicorn running on|Running on( local URL:)?) +(?<url>https?://\S{1,400})", "the server listens"),

        new(LogTopic.MountMissing, "bind source path does not exist: (?<source>.{1,600})$", "the source is not there"),
        new(LogTopic.MountMissing, "error while creating mount source path '(?<source>[^']{1,400})': (?<why>.{1,600})$", "the engine cannot make it"),
        new(LogTopic.MountMissing, """mounting "(?<source>[^"]{1,400})" to rootfs at "(?<target>[^"]{1,400})".{0,600}no such file or directory""", "the source is not there"),
        new(LogTopic.MountMissing, @"the path (?<source>.{1,400}) is not shared from the host", "Docker Desktop does not share it with its machine"),
        new(LogTopic.MountMissing, "failed to mount local volume: mount (?<source>[^:]{1,400}):(?<why>.{1,600})$", "the volume cannot be mounted"),

        new(LogTopic.Directory, """mounting "(?<source>[^"]{1,400})" to rootfs at "(?<target>[^"]{1,400})".{0,600}are you trying to mount a directory onto a file""", "a directory is mounted onto a file"),
        new(LogTopic.Directory, @"IsADirectoryError: \[Errno 21\] Is a directory: '(?<target>[^']{1,400})'", "the program finds a directory"),
        new(LogTopic.Directory, @"(^|[\s'""])(?<target>/[^\s:'""]{1,400})['""]?: (read error: |)is a directory", "the program finds a directory"),

        new(LogTopic.Port, @"Bind for \S{0,100}:(?<port>[0-9]{1,5}) failed: port is already allocated", "another container has the port"),
        new(LogTopic.Port, @"failed to bind host port (for )?(\S{0,100}\s)?(\[[^\]]{0,60}\]|[^\s:]{0,100}):(?<port>[0-9]{1,5}).{0,200}: address already in use", "the port is taken"),
        new(LogTopic.Port, @"listen (tcp|udp)[46]? \S{0,100}:(?<port>[0-9]{1,5}): bind: (address already in use|only one usage of each socket address|an attempt was made to access a socket)", "the port is taken"),
        new(LogTopic.Port, @"bind\(\) to \S{0,100}:(?<port>[0-9]{1,5}) failed \([0-9]{1,5}: address already in use", "the program finds its port taken"),
        new(LogTopic.Port, @"EADDRINUSE:?( address already in use)? \S{0,100}:(?<port>[0-9]{1,5})", "the program finds its port taken"),
        new(LogTopic.Port, @"\[Errno 98\].{0,600}\('[^']{0,400}', (?<port>[0-9]{1,5})", "the program finds its port taken"),
        new(LogTopic.Port, @"\[Errno 98\]|port is already allocated|Ports are not available|address already in use|EADDRINUSE", "the port is taken"),

        new(LogTopic.GpuRuntime, "could not select device driver", "the engine has no NVIDIA container toolkit"),
        new(LogTopic.GpuRuntime, "(unknown or invalid runtime name|Unknown runtime specified):? \"?nvidia", "the engine has no runtime called nvidia"),
        new(LogTopic.GpuRuntime, @"nvidia-container-(runtime|cli|toolkit)(-hook)?\W{1,3}(executable file not found|no such file)", "the NVIDIA container toolkit is not complete"),
        new(LogTopic.GpuRuntime, "failed to discover GPU vendor|unresolvable CDI devices", "the engine finds no description of a GPU"),
        new(LogTopic.GpuDriver, "nvidia-container-cli: .{0,600}unknown device", "the GPU that is reserved does not exist"),
        new(LogTopic.GpuDriver, "nvidia-container-cli: .{0,600}unsatisfied condition: (?<want>[^,\\s]{1,400})", "the driver is older than the image asks for"),
        new(LogTopic.GpuDriver, "nvidia-container-cli: .{0,600}no adapters were found", "Windows gives its GPU to no Linux machine"),
        new(LogTopic.GpuDriver, "nvidia-container-cli: (?<why>[^\\\\\"]{1,80})", "the driver of the GPU does not work"),
        new(LogTopic.GpuDriver, "NVIDIA driver on your system is too old|CUDA driver version is insufficient|forward compatibility was attempted", "the driver is older than this PyTorch asks for"),
        new(LogTopic.GpuAbsent, "Found no NVIDIA driver on your system|No CUDA GPUs are available|no CUDA-capable device is detected|NVIDIA[ -]SMI has failed|The NVIDIA Driver was not detected|libcuda\\.so\\.1: cannot open", "the program sees no GPU"),
        new(LogTopic.GpuTorch, "Torch not compiled with CUDA enabled", "this PyTorch was made for machines without a GPU"),

        new(LogTopic.Failure, "No space left on device", "the disk is full"),
        new(LogTopic.Failure, "Temporary failure (in name resolution|resolving)|Could not resolve host|Name or service not known", "names cannot be resolved: the container has no network or no name server"),
        new(LogTopic.Failure, "CERTIFICATE_VERIFY_FAILED|certificate problem", "a certificate is not trusted, as behind a proxy that opens TLS"),
        new(LogTopic.Failure, "DO NOT MATCH THE HASHES", "a download was damaged"),
        new(LogTopic.Failure, @"No matching distribution found for (?<what>\S{1,400})", "pip finds no fitting version of a package"),
        new(LogTopic.Failure, "GatedRepoError|Access to model .{0,600} is restricted|(401|403) Client Error", "the model hub asks for a token or for a licence to be accepted"),
        new(LogTopic.Failure, "Network is unreachable|Read timed out|ReadTimeoutError|NewConnectionError|IncompleteRead|Connection reset by peer|early EOF", "the network failed"),
        new(LogTopic.Failure, "ERROR: (Could not build wheels|Failed building wheel)|subprocess-exited-with-error|Failed to build installable wheels", "a package could not be built"),
        new(LogTopic.Failure, "ERROR: Could not install packages", "pip could not install the packages"),
        new(LogTopic.Failure, "OutOfMemoryError|CUDA out of memory|CUDA error: out of memory", "the memory of the GPU ran out"),
        new(LogTopic.Failure, @"bash\\r|\$'\\r'|\^M: bad interpreter", "a script has Windows line ends"),
        new(LogTopic.Failure, @"^exec (?<what>\S+): no such file or directory", "the program that the script's first line names is missing, as it seems to be when the script has Windows line ends"),
        new(LogTopic.Failure, "exec format error", "the image is for another kind of processor, or a script lacks its first line"),
        new(LogTopic.Failure, "No module named '?(?<what>[^\\s']{1,400})", "a Python module is missing"),
        new(LogTopic.Failure, @"can't open file '(?<what>[^']{1,400})'", "the program is missing"),
        new(LogTopic.Failure, @"(^|\s)(?<what>[^\s:]{1,400}): cannot open shared object file", "a library is missing"),
        new(LogTopic.Failure, "unrecognized arguments: (?<what>.{1,600})$", "the program does not know one of its arguments"),
        new(LogTopic.Failure, "password cannot be longer than 72 bytes", "the password is longer than bcrypt takes"),
        new(LogTopic.Failure, "insufficient shared memory|bus error", "the shared memory is too small (shm_size)"),
        new(LogTopic.Failure, "Illegal instruction", "the processor lacks an instruction that the program uses"),
        new(LogTopic.Failure, "Permission denied", "a right is missing"),
        new(LogTopic.Failure, @"(^|\s)(?<what>[^\s:]{1,400}): (command )?not found$|exec: ""(?<what>[^""]{1,400})"": (executable file not found|stat .{0,600}no such file)", "a program is missing"),
        new(LogTopic.Failure, @"^([a-z_][a-z0-9_.]*)?(error|exception)(:|$)|^(e|fatal): ", ""),
    ];
}
