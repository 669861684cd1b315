# SPDX-License-Identifier: Apache-2.0
"""Prints the queries of a Grafana dashboard as rules that promtool can check.

monitoring_queries.py FOLDER DOCUMENT: FOLDER has dashboard.json and alerts.yml. Fails if
one of them uses a metric that DOCUMENT does not name in backticks.
"""

import json
import pathlib
import re
import sys

_METRIC = re.compile(r"\b(?:tokenusage|grpc_server|http_server)_[a-z_]+\b")
_OF_HISTOGRAMS = re.compile(r"_(bucket|count|sum)$")


def queries_of(dashboard):
    """Returns the title and query of each target."""
    return [
        (panel["title"], target["expr"])
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]


def main():
    folder, document = map(pathlib.Path, sys.argv[1:])
    queries = queries_of(json.loads((folder / "dashboard.json").read_text()))
    alerts = (folder / "alerts.yml").read_text()
    named = set(re.findall(r"`([a-z_]+)`", document.read_text()))
    used = set(_METRIC.findall(alerts + "".join(query for _, query in queries)))
    unknown = {m for m in used if named.isdisjoint({m, _OF_HISTOGRAMS.sub("", m)})}
    if unknown or not queries:
        sys.exit("%s does not name %s" % (document, sorted(unknown)))
    print("groups:\n- name: dashboard\n  rules:")
    for number, (title, query) in enumerate(queries):
        # Grafana fills in these variables.
        query = query.replace("$__rate_interval", "5m").replace("$instance", ".*")
        print("  - record: dashboard:query%d" % number)
        print("    expr: %s  # %s" % (json.dumps(query), title))


if __name__ == "__main__":
    main()
