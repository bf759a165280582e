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

. tests/python/server.sh
start conformance scim2 scim "${1:-}"

code=0
"$venv/bin/python" tests/python/conformance.py "http://$ROLLCALL_LISTEN/scim/v2" "$token" || code=1
"$venv/bin/python" tests/python/cli.py "$venv/bin/scim2" "http://$ROLLCALL_LISTEN/scim/v2" "$token" || code=1
exit "$code"
