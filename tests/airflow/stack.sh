# An Airflow of the test's own: its packages, settings and processes, in a temporary folder. Source it after setting `root`, the
# folder.

# Prints why nothing was run, and exits with 77.
leave() { echo "$*: nothing was run by a real Airflow"; exit 77; }

running=()
# Starts a command in a process group of its own, and logs it in the folder.
start() { # NAME COMMAND..
    local name=$1
    shift
    setsid "$@" >"$root/$name.log" 2>&1 </dev/null &
    running+=($!)
}
# Ends the process groups with these pids; without arguments, all groups that were started.
stop() { # [PID]..
    local pids=("$@")
    [ $# -gt 0 ] || { pids=("${running[@]}"); running=(); }
    [ ${#pids[@]} -gt 0 ] || return 0
    for pid in "${pids[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
    for _ in $(seq 100); do pgrep -g "$(IFS=,; echo "${pids[*]:-0}")" >/dev/null || break; sleep 0.1; done
    for pid in "${pids[@]}"; do kill -KILL -- "-$pid" 2>/dev/null || true; done
}

# Installs the packages of lists of pins into a virtual environment. The environment's name depends on the pins, so that changed
# pins are installed. AIRFLOW_TOOLS is where the environments are cached between runs.
install() { # PINS..
    command -v python3 >/dev/null || leave "there is no Python"
    python3 -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || leave "Airflow 3.3 needs Python 3.10 to 3.13"
    local said home of=() pins
    said=$(mktemp)
    home=${AIRFLOW_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/pipeline-airflow}/$(cat "$@" | cksum | cut -d' ' -f1)
    for pins in "$@"; do of+=(-r "$pins"); done
    if [ ! -e "$home/installed" ]; then
        rm -rf "$home"
        python3 -m venv "$home" >"$said" 2>&1 || { tail -n 3 "$said"; leave "python3 makes no virtual environment"; }
        "$home/bin/pip" install --quiet --no-deps "${of[@]}" >"$said" 2>&1 || { tail -n 3 "$said"; leave "pip could not install it"; }
        touch "$home/installed"
    fi
    rm -f "$said"
    export PATH=$home/bin:$PATH
}

free_port() { python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# The coordinator of a queue, for bundles in a folder.
coordinator() { # FOLDER
    export AIRFLOW__SDK__COORDINATORS='{"rust":{"classpath":"airflow.sdk.coordinators.executable.ExecutableCoordinator","kwargs":{"executables_root":["'"$1"'"],"task_startup_timeout":60}}}'
    export AIRFLOW__SDK__QUEUE_TO_COORDINATOR='{"rust":"rust"}'
}

# Exports the settings of all its processes.
settings() { # DATABASE-URL
    port=$(free_port)
    mkdir -p "$root/dags" "$root/bundles" "$root/journals"
    export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 PYTHONWARNINGS=ignore
    export AIRFLOW_HOME=$root AIRFLOW__CORE__DAGS_FOLDER=$root/dags AIRFLOW__CORE__LOAD_EXAMPLES=False AIRFLOW__CORE__EXECUTOR=LocalExecutor \
        AIRFLOW__CORE__PARALLELISM=4 AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION=False AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS=True \
        AIRFLOW__API__HOST=127.0.0.1 AIRFLOW__API__PORT=$port AIRFLOW__API__WORKERS=1 AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT=60 \
        AIRFLOW__CORE__EXECUTION_API_SERVER_URL=http://127.0.0.1:$port/execution/ AIRFLOW__API_AUTH__JWT_SECRET=only-for-this-test-only-for-this-test-only-for-this-test-000000 \
        AIRFLOW__API__SECRET_KEY=only-for-this-test AIRFLOW__CORE__FERNET_KEY= AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False \
        AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL=3600 AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK=False \
        AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT=0 AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=$1
    coordinator "$root/bundles"
    # Values that one of the pipelines reads.
    export PARITY_TOLD=$root/told PARITY_TOKEN=only-for-this-test AIRFLOW_CONN_PARITY_WAREHOUSE=postgres://somebody:only-for-this-test@nowhere/shop
}

# Starts Airflow, with an empty database.
begin() {
    local said=$root/migrate.log
    (cd "$root" && airflow db migrate >"$said" 2>&1) || { tail -n 20 "$said"; exit 1; }
    for part in api-server scheduler dag-processor; do start "$part" airflow "$part"; done
}
