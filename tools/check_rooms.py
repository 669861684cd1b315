# SPDX-License-Identifier: Apache-2.0
"""Checks that dependencies between rooms point one way (README, "Where things are").

Reads, from standard input, what this prints, and names each path that must not be:

  bazel query --noimplicit_deps --output=xml 'deps(//cpp/...) + deps(//proto/...)'
"""

import collections
import sys
import xml.etree.ElementTree as ElementTree

# What each room may see, directly or through others: rooms, and repositories by @.
# A new room is written here first.
_PROTO = {"proto", "@com_google_protobuf"}
_BASE = {"base", "@com_google_absl", "@com_google_protobuf"}
_RECORD = _BASE | _PROTO | {"record"}
_STORE = _RECORD | {"store", "@org_sqlite", "@libpq"}
_SERVICE = _STORE | {
    "service",
    "@boringssl",
    "@com_github_grpc_grpc",
    "@com_github_jupp0r_prometheus_cpp",
}
_JSON = _BASE | _PROTO | {"json"}
ALLOWED = {
    "proto": _PROTO | {"@com_github_grpc_grpc"},  # the service's stubs
    "base": _BASE,
    "json": _JSON,
    "record": _RECORD,
    "store": _STORE,
    "service": _SERVICE,
    "testing": _SERVICE | {"testing"},
    "cli": _SERVICE | _JSON | {"cli", "@cli11", "@com_github_gabime_spdlog"},
}


def place_of(label):
    """The room, or the @repository, that a label belongs to; None for neither."""
    repository, _, rest = label.partition("//")
    if repository:
        return repository
    folders = rest.partition(":")[0].split("/")
    if folders[0] == "cpp":
        return folders[2]
    if folders[0] == "tests":
        return "tests"  # which no room may see
    # Root targets are names for others; bazel/ is rules.
    return "proto" if folders[0] == "proto" else None


def read_edges(stream):
    """Maps each rule to the labels that it depends on."""
    return {
        rule.get("name"): [entry.get("name") for entry in rule.iter("rule-input")]
        for rule in ElementTree.parse(stream).iter("rule")
    }


def find_forbidden(edges, start):
    """Yields a shortest path from a target to each place that it must not see."""
    allowed = ALLOWED.get(place_of(start), {place_of(start)})
    paths, waiting, named = {start: [start]}, collections.deque([start]), set()
    while waiting:
        label = waiting.popleft()
        place = place_of(label)
        if place and place not in allowed:
            if place not in named:
                named.add(place)
                yield paths[label]
            continue
        if label != start and place and place.startswith("@"):
            continue  # What a repository uses is its own business.
        for entry in edges.get(label, ()):
            if entry not in paths:
                paths[entry] = paths[label] + [entry]
                waiting.append(entry)


def main():
    edges = read_edges(sys.stdin)
    starts = [
        name for name in sorted(edges) if place_of(name) not in (None, "tests") and name[0] != "@"
    ]
    faults = ["no room's targets were read"] if not starts else []
    for room in sorted({place_of(start) for start in starts} - ALLOWED.keys()):
        faults.append("%s: a new room; write in tools/check_rooms.py what it may see" % room)
    # The shortest path to each forbidden step, not all that lead to it.
    shortest = {}
    for start in starts:
        for path in find_forbidden(edges, start):
            known = shortest.setdefault(tuple(path[-2:]), path)
            if len(path) < len(known):
                shortest[tuple(path[-2:])] = path
    for path in shortest.values():
        faults.append("%s must not see %s: %s" % (
            place_of(path[0]), place_of(path[-1]), " -> ".join(path)))
    for fault in faults:
        print(fault)
    if not faults:
        print("rooms: %d targets depend only on what they may" % len(starts))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
