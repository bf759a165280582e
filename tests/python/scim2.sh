#!/usr/bin/env bash
# Runs scim2-tester and scim2-cli (PyPI) against the real binary, on a database of its own.
#
#   tests/python/scim2.sh [DATABASE-URL]      default: a SQLite file in a temporary folder
#
# VENV names a folder that keeps the virtual environment between calls; default: a temporary one.
# What cannot be installed or started is a failure, never a skip. Each of the two ends with
# a line `conformance result: N passed N failed N skipped`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

scratch=$(mktemp -d "${TMPDIR:-/tmp}/rollcall-scim2.XXXXXX")
server=""
finish() {
    local code=$?
    [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
    [ "$code" -eq 0 ] || { [ -f "$scratch/server.log" ] && tail -n 30 "$scratch/server.log" >&2; }
    rm -rf "$scratch"
    exit "$code"
}
trap finish EXIT

venv=${VENV:-$scratch/venv}
if [ ! -x "$venv/bin/scim2" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/python/requirements.txt
fi

cargo build --locked --quiet
rollcall=$(cargo build --locked --message-format=json 2>/dev/null |
    "$venv/bin/python" -c 'import json,sys; print([a["executable"] for a in map(json.loads, sys.stdin) if a.get("executable") and a["target"]["name"] == "rollcall"][-1])')

port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export ROLLCALL_DATABASE=${1:-sqlite://$scratch/rollcall.db}
export ROLLCALL_LISTEN="127.0.0.1:$port"
export ROLLCALL_RATE_LIMIT=off ROLLCALL_FAILURE_LIMIT=off
tenant="conformance-$port"
"$rollcall" migrate >/dev/null
"$rollcall" tenant create "$tenant" --plan business >/dev/null
token=$("$rollcall" token create --tenant "$tenant" --kind scim --expires 1d)

"$rollcall" serve >"$scratch/server.log" 2>&1 &
server=$!
for _ in $(seq 1 100); do
    curl --silent --fail --max-time 2 "http://$ROLLCALL_LISTEN/readyz" >/dev/null && break
    kill -0 "$server" 2>/dev/null || { echo "the server stopped" >&2; exit 1; }
    sleep 0.1
done

code=0
"$venv/bin/python" tests/python/conformance.py "http://$ROLLCALL_LISTEN/scim/v2" "$token" || code=1
"$venv/bin/python" tests/python/cli.py "$venv/bin/scim2" "http://$ROLLCALL_LISTEN/scim/v2" "$token" || code=1
exit "$code"
