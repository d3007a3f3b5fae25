using ComfyAuth.Compose;
using ComfyAuth.DotEnv;

namespace ComfyAuth.Tests.Compose;

public sealed class ComposeFileTests
{
    private static string Join(IEnumerable<string>? texts) => string.Join('|', texts ?? []);

    private static string Show(ComposePort port) => $"{port.HostAddress}:{port.Published}-{port.PublishedTo}:{port.Target}/{port.Protocol}";

    private static string Show(ComposeMount mount) =>
        $"{mount.Kind} {mount.Source?.Replace(ComposeText.Folder, "F", StringComparison.Ordinal).Replace('\\', '/')} {mount.Target}{(mount.IsReadOnly ? " ro" : "")}{(mount.CreatesHostPath ? " create" : "")}";

    private static string ErrorOf(params string[] texts)
    {
        var error = Assert.Throws<ComfyAuthException>(() => ComposeText.Load(texts));
        Assert.Equal("ComposeFileInvalid", error.Code);
        return error.Message.Replace(ComposeText.Folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
    }

    [Fact]
    public void The_original_service_is_read_as_Compose_sees_it()
    {
        var service = Assert.Single(ComposeFile.Load([ComposeText.Data("qwen.yml")], name => name == "COMFYUI_BEARER_TOKEN" ? "t" : null).Services);

        Assert.Equal(("comfyui-qwen", "comfyui-qwen", "python:3.11", "unless-stopped"), (service.Name, service.ContainerName, service.Image, service.Restart));
        Assert.Equal(":8188-8188:8188/tcp", Show(Assert.Single(service.Ports)));
        Assert.Equal(["0", "all", "UTC", "t"], service.Environment.Select(variable => variable.Reveal()));
        Assert.Equal("0", Assert.Single(Assert.Single(service.DeviceReservations).DeviceIds));
        Assert.Equal(TimeSpan.FromSeconds(270), service.Healthcheck!.PredictedUnhealthyAfter());
        Assert.Equal(["genai"], service.Networks);
        Assert.Empty(service.Problems);
    }

    [Theory]
    [InlineData("8188", ":-:8188/tcp")]
    [InlineData("8188:8188", ":8188-8188:8188/tcp")]
    [InlineData("127.0.0.1:8189:8188/udp", "127.0.0.1:8189-8189:8188/udp")]
    [InlineData("127.0.0.1::8188", "127.0.0.1:-:8188/tcp")]
    [InlineData("[::1]:80:8188", "::1:80-80:8188/tcp")]
    [InlineData("3000-3001", ":-:3000/tcp|:-:3001/tcp")]
    [InlineData("8000-8001:9000-9001", ":8000-8000:9000/tcp|:8001-8001:9001/tcp")]
    [InlineData("5000-5003:80", ":5000-5003:80/tcp")]
    public void A_short_port_is_understood(string text, string expected) =>
        Assert.Equal(expected, Join(ComposeText.Web($"ports: [\"{text}\"]").Ports.Select(Show)));

    [Fact]
    public void A_long_port_is_understood() =>
        Assert.Equal("127.0.0.1:80-80:8188/udp", Show(Assert.Single(ComposeText.Web("ports: [{ target: 8188, published: \"80\", host_ip: 127.0.0.1, protocol: udp, mode: host }]").Ports)));

    [Theory]
    [InlineData("./data:/data:ro", "Bind F/data /data ro create")]
    [InlineData("../x:/data", "Bind /x /data create")]
    [InlineData("/abs:/data:rw,z", "Bind /abs /data create")]
    [InlineData("named:/data", "Volume named /data")]
    [InlineData("/anonymous", "Volume  /anonymous")]
    [InlineData("~/x:/data", "Bind /home/u/x /data create")]
    public void A_short_mount_is_understood(string text, string expected)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the expected paths are those of POSIX systems");
        var file = ComposeText.Load([$"services:\n  web:\n    volumes: [\"{text}\"]\n"], name => name == "HOME" ? "/home/u" : null);

        Assert.Equal(expected, Show(Assert.Single(Assert.Single(file.Services).Mounts)));
    }

    [Fact]
    public void A_Windows_drive_is_no_separator()
    {
        var mount = Assert.Single(ComposeText.Web(@"volumes: ['C:\models:/models:ro']").Mounts);

        Assert.Equal((ComposeMountKind.Bind, @"C:\models", "/models", true), (mount.Kind, mount.Source, mount.Target, mount.IsReadOnly));
    }

    [Fact]
    public void A_long_mount_makes_no_folder_unless_it_is_asked_to()
    {
        var mounts = ComposeText.Web("""
            volumes:
              - { type: bind, source: ./a, target: /a, read_only: true }
              - { type: bind, source: ./b, target: /b, bind: { create_host_path: true } }
              - { type: tmpfs, target: /t }
            tmpfs: [/run]
            """).Mounts;

        Assert.Equal("Bind F/a /a ro|Bind F/b /b create|Memory  /t|Memory  /run", Join(mounts.Select(Show)));
    }

    [Theory]
    [InlineData("test: curl x", HealthcheckKind.Shell, "curl x")]
    [InlineData("test: [CMD-SHELL, curl x]", HealthcheckKind.Shell, "curl x")]
    [InlineData("test: [CMD, curl, x]", HealthcheckKind.Command, "curl|x")]
    [InlineData("test: [NONE]", HealthcheckKind.None, "")]
    [InlineData("disable: true", HealthcheckKind.None, "")]
    [InlineData("interval: 1s", HealthcheckKind.Image, "")]
    public void Each_form_of_a_healthcheck_is_understood(string line, HealthcheckKind kind, string words)
    {
        var healthcheck = ComposeText.Web("healthcheck:\n  " + line).Healthcheck!;

        Assert.Equal((kind, words), (healthcheck.Kind, Join(healthcheck.Test)));
    }

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("1m30s", 90)]
    [InlineData("1h2m3s4ms5us", 3723.004005)]
    [InlineData("1.5m", 90)]
    [InlineData("\"0\"", 0)]
    public void Durations_are_composed(string text, double seconds) =>
        Assert.Equal(seconds, ComposeText.Web($"healthcheck: {{ test: x, start_period: {text} }}").Healthcheck!.StartPeriod.TotalSeconds, 6);

    [Fact]
    public void Unhealthy_is_predicted_from_start_period_retries_interval_and_probe()
    {
        var healthcheck = ComposeText.Web("healthcheck: { test: x, start_period: 120s, retries: 5, interval: 30s, timeout: 10s }").Healthcheck!;

        Assert.Equal(TimeSpan.FromSeconds(270), healthcheck.PredictedUnhealthyAfter());
        Assert.Equal(TimeSpan.FromSeconds(280), healthcheck.PredictedUnhealthyAfter(TimeSpan.FromSeconds(2)));
        Assert.Equal(TimeSpan.FromSeconds(320), healthcheck.PredictedUnhealthyAfter(TimeSpan.FromHours(1)));
        Assert.Equal(TimeSpan.MaxValue, ComposeText.Web("healthcheck: { test: x, interval: 2000000h, retries: 1000000 }").Healthcheck!.PredictedUnhealthyAfter());
        Assert.Null(ComposeText.Web("healthcheck: { disable: true }").Healthcheck!.PredictedUnhealthyAfter());
        Assert.Equal(TimeSpan.FromSeconds(90), ComposeText.Web("healthcheck: { test: x, interval: 0s, retries: 0 }").Healthcheck!.PredictedUnhealthyAfter());
    }

    [Theory]
    [InlineData("gpus: all", "gpu  ")]
    [InlineData("gpus: [{ driver: nvidia, count: 2 }]", "gpu nvidia 2")]
    [InlineData("deploy: { resources: { reservations: { devices: [{ driver: nvidia, count: all, capabilities: [gpu] }] } } }", "gpu nvidia ")]
    public void A_reserved_GPU_is_seen(string lines, string expected)
    {
        var device = Assert.Single(ComposeText.Web(lines).DeviceReservations);

        Assert.Equal((expected, null, true), ($"{Join(device.Capabilities)} {device.Driver} {device.Count}", device.Fault, device.IsGpu));
    }

    [Theory]
    [InlineData("restart: no", "no")]
    [InlineData("restart: on-failure:3", "on-failure:3")]
    [InlineData("restart: always\ndeploy: { restart_policy: { condition: on-failure, max_attempts: 4 } }", "on-failure:4")]
    [InlineData("deploy: { restart_policy: { condition: none } }", "no")]
    [InlineData("deploy: { restart_policy: { } }", "always")]
    [InlineData("init: true", null)]
    public void The_restart_policy_is_the_one_the_engine_gets(string lines, string? expected) =>
        Assert.Equal(expected, ComposeText.Web(lines).Restart);

    [Fact]
    public void The_rest_of_a_service_is_read()
    {
        var service = ComposeText.Web("""
            image: a
            build: .
            init: yes
            privileged: on
            user: "1000:1000"
            runtime: nvidia
            network_mode: host
            mem_limit: 512m
            mem_reservation: 1.5gb
            labels: [a=1, b]
            logging: { driver: local, options: { max-size: 10m } }
            command: echo "a b" 'c\' d\ e
            entrypoint: [sh, -c]
            """);

        Assert.Equal((true, true, true), (service.HasBuild, service.Init, service.Privileged));
        Assert.Equal(("1000:1000", "nvidia", "host"), (service.User, service.Runtime, service.NetworkMode));
        Assert.Equal((536_870_912L, 1_610_612_736L), (service.MemoryLimitInBytes, service.MemoryReservationInBytes));
        Assert.Equal(("a=1|b=", "local", "10m"), (Join(service.Labels.Select(label => $"{label.Key}={label.Value}")), service.Logging!.Driver, service.Logging.Options["max-size"]));
        Assert.Equal(("echo|a b|c\\|d e", "sh|-c"), (Join(service.Command), Join(service.Entrypoint)));
    }

    [Fact]
    public void Anchors_and_merge_keys_give_what_the_service_does_not_say()
    {
        var file = ComposeText.Load("""
            x-base: &base { image: a, restart: always, environment: &env { A: "1", B: "2" } }
            x-more: &more { image: b, user: root }
            services:
              one: { <<: *base, image: own }
              two: { <<: [*base, *more], environment: { <<: *env, B: "3" } }
            """);

        Assert.Equal("own always  1,2|a always root 1,3", Join(file.Services.Select(service =>
            $"{service.Image} {service.Restart} {service.User} {string.Join(',', service.Environment.OrderBy(variable => variable.Name).Select(variable => variable.Reveal()))}")));
    }

    [Fact]
    public void Later_files_override_append_and_replace()
    {
        var service = ComposeText.Service(
            """
            services:
              web:
                image: a
                command: [a, b]
                environment: [A=1, B=1]
                ports: ["80:80", "81:81"]
                volumes: ["./a:/a", "./b:/b"]
                env_file: absent-1
                healthcheck: { test: [CMD, a, b], retries: 5 }
                logging: { driver: json-file, options: { max-size: 1m } }
                networks: [one]
                deploy: { resources: { limits: { memory: 1g } } }
            """,
            """
            services:
              web:
                image: b
                command: [c]
                environment: { B: "2", C: }
                ports: ["81:81", "82:82"]
                volumes: ["./other:/b:ro"]
                env_file: [absent-2]
                healthcheck: { test: [CMD, c] }
                logging: { driver: local }
                networks: { two: { aliases: [x] } }
                deploy: { resources: { reservations: { memory: 1m } } }
            """);

        Assert.Equal(("b", "c", "c", 5), (service.Image, Join(service.Command), Join(service.Healthcheck!.Test), service.Healthcheck.Retries));
        Assert.Equal("A=1|B=2|C=", Join(service.Environment.Select(variable => $"{variable.Name}={variable.Reveal()}")));
        Assert.Equal("80|81|82", Join(service.Ports.Select(port => $"{port.Published}")));
        Assert.Equal("Bind F/a /a create|Bind F/other /b ro create", Join(service.Mounts.Select(Show)));
        Assert.Equal("absent-1|absent-2", Join(service.EnvironmentFiles.Select(file => Path.GetFileName(file.Path))));
        Assert.Equal(("local", 0, "one|two"), (service.Logging!.Driver, service.Logging.Options.Count, Join(service.Networks)));
        Assert.Equal((1L << 30, 1L << 20), (service.MemoryLimitInBytes, service.MemoryReservationInBytes));
    }

    [Fact]
    public void Reset_and_override_steer_the_merge()
    {
        var service = ComposeText.Service(
            "services: { web: { restart: always, ports: ['80:80'], volumes: ['/a'] } }\n",
            "services: { web: { restart: !reset null, ports: !override ['81:81'], volumes: !reset [] } }\n");

        Assert.Equal((null, "81", 0), (service.Restart, Join(service.Ports.Select(port => $"{port.Published}")), service.Mounts.Count));
    }

    [Fact]
    public void Only_services_of_active_profiles_are_there()
    {
        const string Text = "services: { a: {}, b: { profiles: [gpu] }, c: { profiles: [cpu, test] } }\n";

        Assert.Equal("a", Join(ComposeText.Load(Text).Services.Select(service => service.Name)));
        Assert.Equal("a|c", Join(ComposeText.Load([Text], _ => null, "test").Services.Select(service => service.Name)));
        Assert.Equal("a|b|c", Join(ComposeText.Load([Text], _ => null, "*").Services.Select(service => service.Name)));
    }

    [Fact]
    public void Each_variable_tells_where_it_comes_from_and_only_gives_its_value_when_asked()
    {
        using var folder = new TemporaryFolder();
        folder.Write(".env", "FROM_FILE=dot-env-secret\nBOTH=file\n");
        folder.Write("first.env", "ENV_ONE=first-secret\nENV_BOTH=a\nWINS=env\n");
        folder.Write("second.env", "ENV_BOTH='b'\nUSES=${ENV_ONE}\n");
        var path = folder.Write("compose.yaml", """
            services:
              web:
                env_file: [first.env, { path: second.env }, { path: absent.env, required: false }]
                environment:
                  LITERAL: text
                  INTERPOLATED: a-${FROM_FILE}
                  BOTH: ${BOTH}
                  INHERITED:
                  NOWHERE:
                  WINS: yml
            """);

        var service = Assert.Single(ComposeFile.Load([path], name => name switch { "BOTH" => "shell", "INHERITED" => "i", _ => null }).Services);

        Assert.Equal(
            "BOTH=shell Interpolated 7|ENV_BOTH=b EnvironmentFile 1|ENV_ONE=first-secret EnvironmentFile 1|INHERITED=i Inherited 8|INTERPOLATED=a-dot-env-secret Interpolated 6"
            + "|LITERAL=text Literal 5|NOWHERE= Inherited 9|USES=first-secret EnvironmentFile 2|WINS=yml Literal 10",
            Join(service.Environment.OrderBy(variable => variable.Name, StringComparer.Ordinal).Select(variable => $"{variable.Name}={variable.Reveal()} {variable.Origin} {variable.Place.Line}")));
        Assert.DoesNotContain("secret", Join(service.Environment.Select(variable => variable.ToString())) + service, StringComparison.Ordinal);
        Assert.Equal([null, null, null], service.EnvironmentFiles.Select(file => file.Fault));
    }

    [Theory]
    [InlineData("A: ${X}", "UndefinedVariable X 4:10")]
    [InlineData("A: '${X}'", "UndefinedVariable X 4:11")]
    [InlineData("A: $abc", "UndefinedVariable  4:10")]
    [InlineData("PASSWORD: pa$WORD", "UndefinedVariable  4:19")]
    [InlineData("A: ${X:?must}", "Refused  4:10")]
    [InlineData("A: ${X-}", "")]
    [InlineData("A: $$X", "")]
    [InlineData("A: $2b$12$abcdefghijklmnopqrstuv", "HashCut  4:16")]
    [InlineData("A: $2b$12$1bcdefghijklmnopqrstuv", "HashNotEscaped  4:10")]
    [InlineData("A: $$2b$$12$$abcdefghijklmnopqrstuv", "")]
    public void What_interpolation_spoils_is_kept_with_its_place(string line, string expected)
    {
        var service = ComposeText.Web("environment:\n  " + line);

        Assert.Equal(expected, Join(service.Problems.Select(problem => $"{problem.Kind} {problem.Variable} {problem.Place.Line}:{problem.Place.Column}")));
        Assert.DoesNotContain("abcdef", Join(service.Problems.Select(problem => problem.ToString())), StringComparison.Ordinal);
        Assert.DoesNotContain("WORD", Join(service.Problems.Select(problem => problem.Message)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_hash_that_a_dotenv_file_cuts_is_traced_to_its_line()
    {
        using var folder = new TemporaryFolder();
        var env = folder.Write(".env", "OTHER=1\nTOKEN=$2b$12$abcdefghijklmnopqrstuv\n");
        folder.Write("service.env", "DIRECT=$2b$12$abcdefghijklmnopqrstuv\n");
        var path = folder.Write("docker-compose.yml", "services:\n  web:\n    env_file: service.env\n    environment: [ \"T=${TOKEN}\" ]\n");

        var problems = Assert.Single(ComposeFile.Load([path], _ => null).Services).Problems;

        Assert.Equal(
            [(InterpolationProblemKind.HashCut, "TOKEN", env, 2), (InterpolationProblemKind.HashCut, "DIRECT", folder.PathOf("service.env"), 1)],
            problems.Select(problem => (problem.Kind, problem.Variable, problem.Place.File, problem.Place.Line)));
    }

    [Theory]
    [InlineData("services: [a]\n", "docker-compose.yml(1,11): 'services' takes a mapping.")]
    [InlineData("- a\n", "docker-compose.yml(1,1): the file is not a mapping.")]
    [InlineData("services:\n  a: b\n", "docker-compose.yml(2,6): 'a' takes a mapping.")]
    [InlineData("services:\n  a: { ports: [99999] }\n", "docker-compose.yml(2,16): this is no port.")]
    [InlineData("services:\n  a: { ports: ['2-1'] }\n", "docker-compose.yml(2,16): the range of ports runs backwards.")]
    [InlineData("services:\n  a: { ports: ['${NO}:x'] }\n", "docker-compose.yml(2,16): this is no port, because the variable NO is not defined")]
    [InlineData("services:\n  a: { init: perhaps }\n", "docker-compose.yml(2,14): 'init' takes true or false.")]
    [InlineData("services:\n  a: { healthcheck: { test: [curl] } }\n", "docker-compose.yml(2,29): the list 'test' must begin with")]
    [InlineData("services:\n  a: { healthcheck: { interval: 5 parsecs } }\n", "docker-compose.yml(2,33): 'interval' takes a length of time.")]
    [InlineData("services:\n  a: { command: 'x \"y' }\n", "docker-compose.yml(2,17): a quote in 'command' is not closed.")]
    [InlineData("services:\n  a: { <<: *no }\n", "docker-compose.yml(2,12): there is no anchor 'no'")]
    [InlineData("services:\n  a: &x { b: *x }\n", "docker-compose.yml(2,14): the alias lies inside what it stands for.")]
    [InlineData("services:\n  a: {}\n  a: {}\n", "docker-compose.yml(3,3): the key 'a' stands here twice.")]
    [InlineData("services:\n  a: 'x\n", "docker-compose.yml(2,6): this is not valid YAML")]
    [InlineData("? [a]\n: b\n", "docker-compose.yml(1,3): a key must be plain text.")]
    [InlineData("a: \"\\0\"\n", "docker-compose.yml(1,4): there is a NUL character.")]
    [InlineData("a: 1\n---\nb: 2\n", "docker-compose.yml(2,1): there is a second document.")]
    public void A_mistake_is_named_with_its_place(string text, string expected) =>
        Assert.StartsWith(expected, ErrorOf(text), StringComparison.Ordinal);

    [Fact]
    public void A_setting_of_another_kind_in_a_later_file_names_both_places() =>
        Assert.StartsWith(
            "docker-compose.1.yml(1,27): this is of another kind than what docker-compose.yml(1,27) says",
            ErrorOf("services: { web: { ports: ['1'] } }\n", "services: { web: { ports: {a: b} } }\n"),
            StringComparison.Ordinal);

    [Fact]
    public void A_secret_in_a_broken_file_is_not_quoted() =>
        Assert.DoesNotContain("hf_", ErrorOf("services:\n  a: {}\n  hf_abcdefghijklmnopqrstuvwxyz12: b\n"), StringComparison.Ordinal);

    [Fact]
    public void A_file_that_is_not_there_is_told() =>
        Assert.Equal("ComposeFileUnreadable", Assert.Throws<ComfyAuthException>(() => ComposeFile.Load([ComposeText.Data("absent.yml")])).Code);

    [Fact]
    public void A_folder_is_no_compose_file() =>
        Assert.Equal("ComposeFileUnreadable", Assert.Throws<ComfyAuthException>(() => ComposeFile.Load([Path.GetTempPath()])).Code);

    [Fact]
    public void A_pipe_is_not_waited_for()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in its file system");
        using var folder = new TemporaryFolder();
        using (var maker = System.Diagnostics.Process.Start("mkfifo", [folder.PathOf("pipe")]))
            maker.WaitForExit();
        var path = folder.Write("docker-compose.yml", "services: { web: { env_file: pipe } }\n");

        Assert.Equal("ComposeFileUnreadable", Assert.Throws<ComfyAuthException>(() => ComposeFile.Load([folder.PathOf("pipe")])).Code);
        Assert.Contains("is a device, pipe or socket", ComposeFile.Load([path]).Services[0].EnvironmentFiles[0].Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_environment_file_is_told_without_its_values()
    {
        using var folder = new TemporaryFolder();
        folder.Write("broken.env", "A='open-sesame-99\n");
        var path = folder.Write("docker-compose.yml", "services: { web: { env_file: [broken.env] } }\n");

        var fault = ComposeFile.Load([path]).Services[0].EnvironmentFiles[0].Fault!;
        Assert.Contains("broken.env:1", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("sesame", fault, StringComparison.Ordinal);

        folder.Write(".env", "A='open-sesame-99\n");
        Assert.Equal("DotEnvSyntax", Assert.Throws<DotEnvSyntaxException>(() => ComposeFile.Load([path])).Code);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_told()
    {
        using var folder = new TemporaryFolder();
        var path = folder.PathOf("docker-compose.yml");
        File.WriteAllBytes(path, [0x61, 0x3a, 0xff, 0xfe, 0x80]);

        Assert.Equal("ComposeFileInvalid", Assert.Throws<ComfyAuthException>(() => ComposeFile.Load([path])).Code);
    }

    [Fact]
    public void Aliases_that_multiply_are_refused()
    {
        var bomb = "x0: &x0 [aaaaaaaaaa]\n" + string.Concat(Enumerable.Range(1, 20).Select(i => $"x{i}: &x{i} [{string.Join(", ", Enumerable.Repeat($"*x{i - 1}", 10))}]\n"));

        Assert.Contains("aliases make it too large", ErrorOf(bomb), StringComparison.Ordinal);
    }

    [Fact]
    public void Aliases_that_nest_are_refused()
    {
        var chain = "x0: &x0 [a]\n" + string.Concat(Enumerable.Range(1, 5_000).Select(i => $"x{i}: &x{i} [*x{i - 1}]\n"));

        Assert.Contains("the nesting is deeper", ErrorOf(chain), StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_of_a_dotenv_file_that_multiply_each_other_are_refused()
    {
        using var folder = new TemporaryFolder();
        folder.Write(".env", "A0=0123456789\n" + string.Concat(Enumerable.Range(1, 60).Select(i => $"A{i}=$A{i - 1}$A{i - 1}\n")) + "LAST=1\n");
        var path = folder.Write("docker-compose.yml", "services: { web: { image: \"x:${LAST:-none}\", environment: [ \"A=${A0}\" ] } }\n");

        var service = Assert.Single(ComposeFile.Load([path], _ => null).Services);

        Assert.Equal("A0", Assert.Single(service.Problems, problem => problem.Kind == InterpolationProblemKind.Refused && problem.Setting.Contains("environment", StringComparison.Ordinal)).Variable);
    }

    [Fact]
    public void Variables_that_multiply_are_refused()
    {
        var value = new string('x', 100_000);
        var text = $"services: {{ web: {{ image: \"{string.Concat(Enumerable.Repeat("${A}", 10_000))}\" }} }}\n";

        Assert.Equal("ComposeFileInvalid", Assert.Throws<ComfyAuthException>(() => ComposeText.Load([text], _ => value)).Code);
    }

    [Theory]
    [InlineData("services: {}", null, "My Stack.1", "mystack1")]
    [InlineData("services: {}", null, "_-web_2", "web_2")]
    [InlineData("name: named\nservices: {}", null, "folder", "named")]
    [InlineData("name: named\nservices: {}", "Given", "folder", "given")]
    [InlineData("name: ${NAME:-fallback}\nservices: {}", "", "folder", "fallback")]
    public void The_project_has_the_name_that_Compose_gives_it(string text, string? variable, string folder, string expected)
    {
        var path = Path.Combine(ComposeText.Folder, folder, "docker-compose.yml");

        Assert.Equal(expected, ComposeFile.Parse([(path, text)], name => name == "COMPOSE_PROJECT_NAME" ? variable : null, null, null).ProjectName);
    }

    [Fact]
    public void A_network_may_have_a_name_of_its_own()
    {
        var names = ComposeText.Load("services: {}\nnetworks:\n  a: {name: own}\n  b: {external: true}\n  c: {external: {name: older}}\n  d:\n").NetworkNames;

        Assert.Equal(["a=own", "b=b", "c=older"], names.OrderBy(name => name.Key, StringComparer.Ordinal).Select(name => $"{name.Key}={name.Value}"));
    }
}
