"""Drives scim2-cli through a day of an administrator against one server and checks what it prints and how it exits.

usage: cli.py SCIM2-PROGRAM BASE-URL TOKEN

Every command is a check. Last line: `conformance result: N passed N failed N skipped`.
"""

import json
import os
import subprocess
import sys
from typing import Any

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


class Cli:
    """The program, and the count of what it was asked."""

    def __init__(self, program: str, url: str, token: str) -> None:
        self.command = [program, "--url", url]
        self.environment = {**os.environ, "SCIM_CLI_HEADERS": f"Authorization: Bearer {token}"}
        self.passed = 0
        self.failed = 0

    def run(self, *arguments: str, stdin: Any = None) -> tuple[int, Any, str]:
        """Exit code, the JSON that was printed, and the rest."""
        done = subprocess.run(
            [*self.command, *arguments],
            input=None if stdin is None else json.dumps(stdin),
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=60,
        )
        try:
            answer = json.loads(done.stdout) if done.stdout.strip() else None
        except ValueError:
            answer = None
        return done.returncode, answer, done.stdout + done.stderr

    def check(self, what: str, arguments: list[str], holds, stdin: Any = None, code: int = 0) -> Any:
        """One command: its exit code and a condition on its answer."""
        try:
            exit_code, answer, text = self.run(*arguments, stdin=stdin)
            good = exit_code == code and bool(holds(answer))
        except Exception as error:  # an answer of another shape is a failure, not the end
            exit_code, answer, text, good = -1, None, repr(error), False
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"failed: {what}: exit {exit_code}, not {code}: scim2 {' '.join(arguments)}\n{text}"[:2000])
        return answer


def names(answer: Any, attribute: str = "userName") -> list[str]:
    return [resource.get(attribute) for resource in answer["Resources"]]


def people(cli: Cli) -> list[str]:
    """Makes three users, finds, changes and replaces them; returns their ids."""
    ids = []
    for name, title in [("cli.ann", "Engineer"), ("cli.ben", "Director"), ("cli.cleo", "Analyst")]:
        made = cli.check(
            f"create {name}",
            ["create", "user", "--user-name", f"{name}@acme.test", "--title", title, "--active", "true",
             "--emails", json.dumps([{"value": f"{name}@acme.test", "type": "work", "primary": True}])],
            lambda answer, name=name: answer["userName"] == f"{name}@acme.test" and answer["active"] is True
            and answer["meta"]["location"].endswith(answer["id"]) and answer["emails"][0]["primary"] is True,
        )
        ids.append(made["id"] if made else "")
    ann, ben, cleo = ids
    everybody = 'userName sw "cli."'
    cli.check("create from stdin with the enterprise extension", ["create", "user"],
              lambda answer: answer[ENTERPRISE]["department"] == "Ops",
              stdin={"schemas": [USER, ENTERPRISE], "userName": "cli.dan@acme.test", ENTERPRISE: {"department": "Ops"}})
    cli.check("a taken name is a conflict", ["create", "user", "--user-name", "CLI.ANN@acme.test"],
              lambda answer: answer["status"] == "409" and answer["scimType"] == "uniqueness", code=1)
    cli.check("query by id", ["query", "user", ann], lambda answer: answer["id"] == ann and answer["title"] == "Engineer")
    cli.check("query without a hit", ["query", "user", "0199a2c4-0000-7000-8000-000000000000"],
              lambda answer: answer["status"] == "404", code=1)
    cli.check("query with attributes", ["query", "user", ann, "--attribute", "title", "--attribute", "emails.value"],
              lambda answer: "userName" not in answer and answer["emails"] == [{"value": "cli.ann@acme.test"}])
    cli.check("query with excluded attributes", ["query", "user", ann, "--excluded-attribute", "title"],
              lambda answer: "title" not in answer and answer["userName"] == "cli.ann@acme.test")
    for command in ("query", "search"):
        cli.check(f"{command} by filter", [command, "user", "--filter", 'title eq "director"'], lambda answer: names(answer) == ["cli.ben@acme.test"])
        cli.check(f"{command} sorted", [command, "user", "--filter", everybody, "--sort-by", "title", "--sort-order", "descending", "--count", "2", "--start-index", "2"],
                  lambda answer: names(answer) == ["cli.ann@acme.test", "cli.ben@acme.test"] and answer["totalResults"] == 4 and answer["itemsPerPage"] == 2)
        cli.check(f"{command} of a value path", [command, "user", "--filter", 'emails[type eq "work" and value co "cleo"]', "--attribute", "userName"],
                  lambda answer: names(answer) == ["cli.cleo@acme.test"] and "title" not in answer["Resources"][0])
        cli.check(f"{command} finds nobody", [command, "user", "--filter", 'userName eq "nobody"'], lambda answer: answer["totalResults"] == 0)
        cli.check(f"{command} at the root", [command, "--filter", 'meta.resourceType eq "User" and ' + everybody], lambda answer: answer["totalResults"] == 4)
        cli.check(f"{command} with a bad filter", [command, "user", "--filter", 'nosuch eq "x"'],
                  lambda answer: answer["status"] == "400" and answer["scimType"] == "invalidFilter", code=1)
        pages(cli, command, everybody)
    cli.check("modify", ["modify", "user", ann, "replace", "title", "Lead", "add", "phoneNumbers", '[{"value": "+4930123", "type": "work"}]', "remove", 'emails[type eq "work"]'],
              lambda answer: answer["title"] == "Lead" and answer["phoneNumbers"][0]["type"] == "work" and "emails" not in answer)
    cli.check("modify from stdin", ["modify", "user", ann], lambda answer: answer["displayName"] == "Ann",
              stdin={"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": {"displayName": "Ann"}}]})
    cli.check("modify an attribute of the extension", ["modify", "user", ann, "add", f"{ENTERPRISE}:department", "Sales"],
              lambda answer: answer[ENTERPRISE]["department"] == "Sales" and ENTERPRISE in answer["schemas"])
    cli.check("what is read-only is not modified", ["modify", "user", ann],
              lambda answer: answer["scimType"] == "mutability", code=1,
              stdin={"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "id", "value": "x"}]})
    cli.check("it stays as it was", ["query", "user", ann], lambda answer: answer["id"] == ann and answer["title"] == "Lead")
    cli.check("replace", ["replace", "user", "--id", ben, "--user-name", "cli.ben@acme.test", "--nick-name", "Benny", "--active", "false"],
              lambda answer: answer["nickName"] == "Benny" and "title" not in answer and answer["active"] is False)
    read = cli.check("read what is to be replaced", ["query", "user", cleo], lambda answer: answer["title"] == "Analyst")
    cli.check("replace with what was read", ["replace", "user"], lambda answer: answer["meta"]["version"] == read["meta"]["version"], stdin=read)
    cli.check("replace nobody", ["replace", "user", "--id", "0199a2c4-0000-7000-8000-000000000000", "--user-name", "x"],
              lambda answer: answer["status"] == "404", code=1)
    return ids


def pages(cli: Cli, command: str, filter_: str) -> None:
    """Walks by cursor where the server says that it has them."""
    _, config, _ = cli.run("query", "serviceproviderconfig")
    if not ((config or {}).get("pagination") or {}).get("cursor"):
        return
    seen: list[str] = []
    cursor = ""
    for _ in range(5):
        page = cli.check(f"{command} by cursor", [command, "user", "--filter", filter_, "--cursor", cursor, "--count", "2"],
                         lambda answer: answer["totalResults"] == 4 and len(answer["Resources"]) <= 2)
        seen += names(page) if page else []
        cursor = (page or {}).get("nextCursor") or ""
        if not cursor:
            break
    cli.check(f"{command} by cursor saw everybody once", [command, "user", "--filter", filter_, "--count", "0"],
              lambda answer: len(set(seen)) == len(seen) == answer["totalResults"])


def groups(cli: Cli, ids: list[str]) -> None:
    ann, ben, cleo = ids
    members = lambda answer: sorted(member["value"] for member in answer.get("members") or [])
    made = cli.check("create a group", ["create", "group", "--display-name", "CLI crew", "--members", json.dumps([{"value": ann}, {"value": ben}])],
                     lambda answer: answer["displayName"] == "CLI crew" and members(answer) == sorted([ann, ben]))
    group = made["id"] if made else ""
    cli.check("a member sees the group", ["query", "user", ann], lambda answer: answer["groups"][0]["value"] == group)
    cli.check("query a group by member", ["query", "group", "--filter", f'members eq "{ben}"'], lambda answer: names(answer, "displayName") == ["CLI crew"])
    cli.check("search a group without its members", ["search", "group", "--filter", 'displayName eq "cli CREW"', "--excluded-attribute", "members"],
              lambda answer: "members" not in answer["Resources"][0])
    cli.check("modify members", ["modify", "group", group, "add", "members", json.dumps([{"value": cleo}]), "remove", f'members[value eq "{ann}"]'], lambda answer: True)
    cli.check("members were modified", ["query", "group", group], lambda answer: members(answer) == sorted([ben, cleo]))
    cli.check("replace a group", ["replace", "group", "--id", group, "--display-name", "CLI office", "--members", json.dumps([{"value": ann}])],
              lambda answer: answer["displayName"] == "CLI office" and members(answer) == [ann])
    cli.check("an unknown member is refused", ["modify", "group", group, "add", "members", '[{"value": "ghost"}]'],
              lambda answer: answer["scimType"] == "invalidValue" and "ghost" in answer["detail"], code=1)
    cli.check("a group needs a name", ["create", "group"], lambda answer: answer["scimType"] == "invalidValue", code=1, stdin={"schemas": [GROUP]})
    cli.check("delete a group", ["delete", "group", group], lambda answer: answer is None)
    cli.check("it is gone", ["query", "group", group], lambda answer: answer["status"] == "404", code=1)
    cli.check("its member is not", ["query", "user", ann], lambda answer: not answer.get("groups"))


def bulk(cli: Cli) -> None:
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "eve", "data": {"schemas": [USER], "userName": "cli.eve@acme.test"}},
        {"method": "POST", "path": "/Groups", "bulkId": "crew", "data": {"schemas": [GROUP], "displayName": "CLI bulk", "members": [{"value": "bulkId:eve"}]}},
        {"method": "POST", "path": "/Users", "bulkId": "twin", "data": {"schemas": [USER], "userName": "cli.eve@acme.test"}},
    ]
    answer = cli.check("bulk", ["bulk"], lambda answer: [one["status"] for one in answer["Operations"]] == ["201", "201", "409"],
                       code=1, stdin={"schemas": [BULK], "Operations": operations})
    for one in (answer or {}).get("Operations", [])[:2]:
        kind, id_ = one["location"].rsplit("/", 2)[-2:]
        cli.check(f"delete what the bulk made in {kind}", ["delete", kind.lower().rstrip("s"), id_], lambda answer: answer is None)


def main(program: str, url: str, token: str) -> int:
    cli = Cli(program, url, token)
    ids = people(cli)
    groups(cli, ids)
    bulk(cli)
    cli.check("a service has no account of its own", ["query", "--me"], lambda answer: answer["status"] in ("404", "501"), code=1)
    found = cli.check("everybody is found", ["query", "user", "--filter", 'userName sw "cli."', "--attribute", "id"], lambda answer: answer["totalResults"] == 4)
    for id_ in names(found, "id") if found else []:
        cli.check("delete a user", ["delete", "user", id_], lambda answer: answer is None)
        cli.check("delete a user twice", ["delete", "user", id_], lambda answer: answer["status"] == "404", code=1)
    cli.check("nobody is left", ["query", "user", "--filter", 'userName sw "cli."'], lambda answer: answer["totalResults"] == 0)
    stranger = Cli(program, url, "nonsense")
    stranger.check("a stranger is refused", ["query", "user"], lambda answer: True, code=1)
    passed, failed = cli.passed + stranger.passed, cli.failed + stranger.failed
    print(f"conformance result: {passed} passed {failed} failed 0 skipped")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
