#!/bin/sh
# A Docker engine of its own for the tests, all of it under one folder, and the image for its containers.
#   engine.sh run ROOT ARGUMENT...   runs dockerd, at ROOT/engine.sock, until standard input ends, then leaves nothing of it
#                                    behind; each line of standard input starts it again after it has ended
#   engine.sh clean ROOT             takes away what a killed run has left
#   engine.sh image                  writes a tar archive: BusyBox under the names of some of its programs, and /serve
# Standard input ends when the tests do, however they end.
set -u
verb=$1

if [ "$verb" = image ]; then
    tree=$(mktemp -d) || exit
    trap 'rm -rf "$tree"' EXIT
    cd "$tree" || exit
    umask 022
    chmod 755 .
    mkdir bin tmp etc proc sys dev
    cp /bin/busybox bin
    for name in sh cat echo printf sleep seq stat tail head kill dd true false id yes tr ls rm mkdir ln env usleep nc chmod; do
        ln -s busybox "bin/$name"
    done
    cat >serve <<'END'
#!/bin/sh
# serve PORT: answers every request for ever, with 200, or with 401 where it lacks the token of $TOKEN.
[ $# = 0 ] || exec busybox nc -ll -p "$1" -e "$0"
cr=$(printf '\r')
status='200 OK'
[ -z "${TOKEN:-}" ] || status='401 Unauthorized'
read -r line
while read -r header && [ -n "${header%"$cr"}" ]; do
    [ "${header%"$cr"}" != "Authorization: Bearer ${TOKEN:-}" ] || status='200 OK'
done
printf 'HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' "$status"
END
    chmod 755 serve
    busybox tar -c -f - .
    exit
fi

root=$2
shift 2

# Everything under the folder is killed, unmounted and removed: it had better be ours.
case $root in
    /*/comfyauth-dockerd-*) ;;
    *) echo "not a folder of the tests: $root" >&2; exit 2 ;;
esac

# Every process that was started for this folder names it in its arguments: dockerd, containerd and its shims.
processes() {
    for folder in /proc/[0-9]*; do
        pid=${folder#/proc/}
        [ "$pid" != $$ ] || continue
        case $({ tr '\0' ' ' <"$folder/cmdline"; } 2>/dev/null) in
            *"engine.sh"*) ;;
            dockerd*"$root/"* | containerd*"$root/"* | */containerd*"$root/"* | */dockerd*"$root/"*) echo "$pid" ;;
        esac
    done
}

# The processes of the containers belong to no shim once it is dead, but to a control group named after the container.
containers() {
    for folder in "$root"/data/containers/*/; do
        [ -d "$folder" ] || continue
        id=$(basename "$folder")
        for group in /sys/fs/cgroup/*/docker/"$id"/cgroup.procs /sys/fs/cgroup/docker/"$id"/cgroup.procs /sys/fs/cgroup/system.slice/docker-"$id".scope/cgroup.procs; do
            [ -r "$group" ] && cat "$group"
        done
    done | sort -u
}

clean() {
    # shellcheck disable=SC2046 # The numbers are separate arguments.
    for attempt in 1 2 3; do
        kill -9 $(processes) $(containers) 2>/dev/null
        awk -v root="$root/" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r mount; do
            umount -l "$mount" 2>/dev/null
        done
        rm -rf "$root" 2>/dev/null && return
    done
}

case $verb in
    clean) clean ;;
    run)
        # No network of its own: containers have that of the machine, or none.
        set -- --host "unix://$root/engine.sock" --data-root "$root/data" --exec-root "$root/exec" --pidfile "$root/pid" \
            --bridge none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false "$@"
        trap '' HUP INT TERM
        (trap - HUP INT TERM; exec dockerd "$@") </dev/null >"$root/log" 2>&1 &
        engine=$!
        while read -r _; do
            wait "$engine"

            # Its containerd dies with it, but stays a zombie where nobody reaps orphans; dockerd would take that for alive.
            # Another process may have the number of dockerd itself by now.
            rm -f "$root/exec/containerd/containerd.pid" "$root/pid"
            (trap - HUP INT TERM; exec dockerd "$@") </dev/null >>"$root/log" 2>&1 &
            engine=$!
        done

        # The first process of a container ignores what would end it; the engine would wait ten seconds for each.
        # shellcheck disable=SC2046 # The numbers are separate arguments.
        kill -9 $(containers) 2>/dev/null
        kill "$engine" 2>/dev/null
        (sleep 10; kill -9 "$engine") >/dev/null 2>&1 &
        timer=$!
        wait "$engine"
        kill -9 "$timer" 2>/dev/null
        clean
        ;;
esac
