# Sourced by rest.sh and scim2.sh: the real binary on a database and a tenant of its own, and the tools that question it.
#
#   start NAME TOOL KIND [DATABASE-URL]
#
# sets `scratch` (a temporary folder), `venv` (with TOOL in it) and `token` (of KIND), and exports ROLLCALL_LISTEN. The server
# and the folder go when the script ends; if it fails, with the end of the server's log.
# VENV names a folder that keeps the virtual environment between calls; default: a temporary one.
server=""
scratch=""

finish() {
    local code=$?
    [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
    [ "$code" -eq 0 ] || { [ -f "$scratch/server.log" ] && tail -n 30 "$scratch/server.log" >&2; }
    rm -rf "$scratch"
    exit "$code"
}

start() {
    local name=$1 tool=$2 kind=$3 database=${4:-} rollcall port tenant
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/rollcall-$name.XXXXXX")
    trap finish EXIT
    venv=${VENV:-$scratch/venv}
    if [ ! -x "$venv/bin/$tool" ]; then
        [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/python/requirements.txt
    fi
    cargo build --locked --quiet
    rollcall=$(cargo build --locked --message-format=json 2>/dev/null |
        "$venv/bin/python" -c 'import json,sys; print([a["executable"] for a in map(json.loads, sys.stdin) if a.get("executable") and a["target"]["name"] == "rollcall"][-1])')
    port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    export ROLLCALL_DATABASE=${database:-sqlite://$scratch/rollcall.db}
    export ROLLCALL_LISTEN="127.0.0.1:$port"
    export ROLLCALL_RATE_LIMIT=off ROLLCALL_FAILURE_LIMIT=off
    tenant="$name-$port"
    "$rollcall" migrate >/dev/null
    "$rollcall" tenant create "$tenant" --plan business >/dev/null
    token=$("$rollcall" token create --tenant "$tenant" --kind "$kind" --expires 1d)
    "$rollcall" serve >"$scratch/server.log" 2>&1 &
    server=$!
    for _ in $(seq 1 100); do
        curl --silent --fail --max-time 2 "http://$ROLLCALL_LISTEN/readyz" >/dev/null && return
        kill -0 "$server" 2>/dev/null || { echo "the server stopped" >&2; exit 1; }
        sleep 0.1
    done
    echo "the server is not ready" >&2
    exit 1
}
