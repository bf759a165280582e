"""Runs every check of scim2-tester against one server and prints what did not pass.

usage: conformance.py BASE-URL TOKEN

Last line: `conformance result: N passed N failed N skipped`. A deviation from a SHOULD counts as a failure.
"""

import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

GOOD = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}


def main(base_url: str, token: str) -> int:
    http = Client(base_url=base_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for result in check_server(SyncSCIMClient(http)):
        verdict = "passed" if result.status in GOOD else "skipped" if result.status is Status.SKIPPED else "failed"
        counts[verdict] += 1
        if verdict != "passed":
            print(f"{verdict}: {result.title} [{result.status.name}]: {result.reason}")
            if verdict == "failed" and result.data is not None:
                print(f"    {result.data!r}"[:600])
    print("conformance result: " + " ".join(f"{number} {verdict}" for verdict, number in counts.items()))
    return 0 if counts["failed"] == 0 and counts["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
