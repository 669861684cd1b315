# SPDX-License-Identifier: Apache-2.0
"""Checks that dependencies between packages point one way.

A package is a folder below cpp/tokenusage with all that is below it, or proto. Reads the
output of this command from standard input and prints each path that is not allowed:

  bazel query --noimplicit_deps --output=xml 'deps(//cpp/...) + deps(//proto/...)'
"""

import collections
import sys
import xml.etree.ElementTree as ElementTree

# The packages, and repositories by @, that each package may see, directly or through
# others. So json and store never see each other, nor do store/sqlite and store/postgres.
# Add a new package here first.
_PROTO = {"proto", "@com_google_protobuf"}
_BASE = {"base", "@com_google_absl", "@com_google_protobuf"}
_JSON = _BASE | _PROTO | {"json"}
_USAGE = _BASE | _PROTO | {"usage"}
_RECORD = _USAGE | {"record"}
_EXTRACT = _JSON | _RECORD | {"extract"}  # record: to count what was found
_RPC = _BASE | _PROTO | {"rpc", "@com_github_grpc_grpc"}  # what both ends of a call share
_CLIENT = _JSON | _RECORD | _RPC | {"client"}
_PAGE = _BASE | {"page", "@boringssl"}
_STORE = _RECORD | {"store"}
_SQLITE = _STORE | {"store/sqlite", "@org_sqlite"}
_POSTGRES = _STORE | {"store/postgres", "@libpq"}
_COPY = _SQLITE | _POSTGRES | {"store/copy"}
_SERVICE = _STORE | _RPC | _PAGE | {
    "service",
    "@com_github_jupp0r_prometheus_cpp",
    "@zlib",
}
_HTTP = _SERVICE | _JSON | {"service/http", "@boost.asio", "@boost.beast"}
ALLOWED = {
    "proto": _PROTO | {"@com_github_grpc_grpc"},  # the service's stubs
    "base": _BASE,
    "json": _JSON,
    "usage": _USAGE,
    "record": _RECORD,
    "rpc": _RPC,
    "extract": _EXTRACT,
    "client": _CLIENT,
    "page": _PAGE,
    "store": _STORE,
    "store/sqlite": _SQLITE,
    "store/postgres": _POSTGRES,
    "store/copy": _COPY,
    "service": _SERVICE,
    "service/http": _HTTP,
    "testing": _SERVICE | {"testing"},
    "cli": _COPY
    | _HTTP
    | _EXTRACT
    | _CLIENT
    | {"cli", "@cli11", "@com_github_gabime_spdlog"},
}


def package_of(label):
    """Returns the package or @repository of a label, or None if it has neither."""
    repository, _, rest = label.partition("//")
    if repository:
        return repository
    folders = rest.partition(":")[0].split("/")
    if folders[0] == "cpp":
        nested = "/".join(folders[2:4])
        return nested if nested in ALLOWED else folders[2]
    # Root targets are aliases, and bazel/ has rules: neither is a package. tests is one, so
    # that a dependency on it is found.
    return folders[0] if folders[0] in ("proto", "tests") else None


def read_edges(stream):
    """Maps each rule to the labels that it depends on."""
    return {
        rule.get("name"): [entry.get("name") for entry in rule.iter("rule-input")]
        for rule in ElementTree.parse(stream).iter("rule")
    }


def find_forbidden(edges, start):
    """Yields a shortest path from a target to each package that it must not see."""
    allowed = ALLOWED.get(package_of(start), {package_of(start)})
    paths, waiting, named = {start: [start]}, collections.deque([start]), set()
    while waiting:
        label = waiting.popleft()
        package = package_of(label)
        if package and package not in allowed:
            if package not in named:
                named.add(package)
                yield paths[label]
            continue
        if package and package.startswith("@"):
            continue  # The dependencies of a repository are not checked.
        for entry in edges.get(label, ()):
            if entry not in paths:
                paths[entry] = paths[label] + [entry]
                waiting.append(entry)


def find_violations(edges):
    """Returns the number of targets that were checked, and the violations."""
    starts = [
        name
        for name in sorted(edges)
        if package_of(name) not in (None, "tests") and not name.startswith("@")
    ]
    violations = [] if starts else ["no targets were read"]
    for package in sorted({package_of(start) for start in starts} - ALLOWED.keys()):
        violations.append("%s: unknown package; add it to tools/ci/check_dependencies.py" % package)
    # Only the shortest of the paths that end with the same forbidden step.
    shortest = {}
    for start in starts:
        for path in find_forbidden(edges, start):
            step = tuple(path[-2:])
            shortest[step] = min(shortest.get(step, path), path, key=len)
    for path in shortest.values():
        packages = package_of(path[0]), package_of(path[-1])
        violations.append("%s must not see %s: %s" % (*packages, " -> ".join(path)))
    return len(starts), violations


def main():
    checked, violations = find_violations(read_edges(sys.stdin))
    for violation in violations:
        print(violation)
    if not violations:
        print("dependencies: all %d targets depend only on what they may" % checked)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
