# Starting, finding and stopping one helenusd: sourced by tools/try and tools/test.

# node_free_port FIRST: the first port from FIRST on that nobody listens on, on loopback.
node_free_port()
{
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        port=$((port + 1))
    done
    echo "$port"
}

# node_is_ours PID: whether the process is a helenusd (also one whose file was rebuilt since).
node_is_ours()
{
    case $(readlink "/proc/$1/exe" 2>/dev/null) in
    */helenusd | */helenusd\ \(deleted\)) true ;;
    *) false ;;
    esac
}

# node_start HELENUSD DIRECTORY PORT LOG [OPTION...]: starts a node and returns when it answers on
# the port, with its process id in node_pid. When it ends instead, prints its log and fails.
node_start()
{
    local helenusd=$1 directory=$2 port=$3 log=$4 tenths
    local options=(--directory "$directory" --native-transport-port "$port")
    shift 4
    # The shard-aware port must not collide with another node's on this machine either.
    local shard_aware
    shard_aware=$("$helenusd" --help | grep -oE -m1 -- '--native-shard-aware-transport-port' || true)
    if [ -n "$shard_aware" ] && [ "$port" != 9042 ]; then
        options+=("$shard_aware" "$(node_free_port $((port + 10000)))")
    fi
    mkdir -p "$directory"
    setsid "$helenusd" "${options[@]}" "$@" >>"$log" 2>&1 </dev/null &
    node_pid=$!
    for ((tenths = 0; tenths < 300; tenths++)); do
        if ! kill -0 "$node_pid" 2>/dev/null; then
            echo "helenusd did not start; the end of $log:" >&2
            tail -n 20 "$log" >&2
            return 1
        fi
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            return 0
        fi
        sleep 0.1
    done
    echo "helenusd (process $node_pid) does not answer on port $port after 30 s; see $log" >&2
    return 1
}

# node_stop PID: drains and ends it; fails when it takes longer than 30 s.
node_stop()
{
    local tenths
    kill -TERM "$1" 2>/dev/null || return 0
    for ((tenths = 0; tenths < 300; tenths++)); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}
