# SPDX-License-Identifier: Apache-2.0
"""Tests what tools/ci/check_dependencies.py finds in the output of `bazel query`."""

import subprocess
import sys
import unittest

from harness import junit


def check(edges):
    """Runs the check on targets: "store:x": ["//..."] lists what //cpp/tokenusage/store:x uses."""
    rules = "".join(
        '<rule name="%s">%s</rule>' % (
            label if "//" in label else "//cpp/tokenusage/" + label,
            "".join('<rule-input name="%s"/>' % entry for entry in entries),
        )
        for label, entries in edges.items()
    )
    return subprocess.run(
        [sys.executable, "tools/ci/check_dependencies.py"],
        input="<query>%s</query>" % rules, stdout=subprocess.PIPE, text=True)


class CheckDependenciesTest(unittest.TestCase):
    def assert_violation(self, edges, violation):
        result = check(edges)
        self.assertIn(violation, result.stdout)
        self.assertEqual(result.returncode, 1)

    def test_allows_what_points_the_right_way(self):
        result = check({
            "service:a": ["//cpp/tokenusage/store:a", "@com_github_grpc_grpc//:grpc++"],
            "store:a": ["//cpp/tokenusage/store:a.cc"],
            "store/sqlite:a": ["//cpp/tokenusage/store/query:a", "@org_sqlite//:sqlite3"],
            "store/query:a": ["//cpp/tokenusage/store:a"],
            "store/postgres:a": ["//cpp/tokenusage/store:a", "@libpq"],
            "store/copy:a": ["//cpp/tokenusage/store/sqlite:a",
                             "//cpp/tokenusage/store/postgres:a"],
        })
        self.assertEqual(
            result.stdout, "dependencies: all 6 targets depend only on what they may\n")
        self.assertEqual(result.returncode, 0)

    def test_no_package_may_see_tests(self):
        self.assert_violation(
            {"json:a": ["//tests/json:b"], "//tests/json:b": []},
            "json must not see tests: //cpp/tokenusage/json:a -> //tests/json:b\n")

    def test_names_a_direct_dependency(self):
        self.assert_violation(
            {"json:a": ["//cpp/tokenusage/store:b"]},
            "json must not see store: //cpp/tokenusage/json:a -> //cpp/tokenusage/store:b\n")

    def test_the_databases_do_not_see_each_other(self):
        sqlite, postgres = ("//cpp/tokenusage/store/%s:a" % d for d in ("sqlite", "postgres"))
        self.assert_violation(
            {"store/sqlite:a": [postgres]},
            "store/sqlite must not see store/postgres: %s -> %s\n" % (sqlite, postgres))
        self.assert_violation(
            {"store/postgres:a": ["//cpp/tokenusage/store/query:a"],
             "store/query:a": [sqlite]},
            "store must not see store/sqlite: //cpp/tokenusage/store/query:a -> %s\n" % sqlite)

    def test_follows_root_targets(self):
        self.assert_violation(
            {"store:a": ["//:json"], "//:json": ["//cpp/tokenusage/json:json"]},
            "store must not see json: //cpp/tokenusage/store:a -> //:json -> "
            "//cpp/tokenusage/json:json\n")

    def test_names_a_repository_that_others_bring_along(self):
        self.assert_violation(
            {"json:a": ["//proto/tokenusage/v1:x"],
             "//proto/tokenusage/v1:x": ["@com_github_grpc_grpc//:grpc++"]},
            "json must not see @com_github_grpc_grpc: ")

    def test_names_a_step_once_by_its_shortest_path(self):
        result = check({
            "cli:a": ["//cpp/tokenusage/service:a"],
            "service:a": ["//cpp/tokenusage/store:a"],
            "store:a": ["//cpp/tokenusage/cli:b"],
        })
        self.assertEqual(
            result.stdout,
            "store must not see cli: //cpp/tokenusage/store:a -> //cpp/tokenusage/cli:b\n")

    def test_a_package_is_declared_first(self):
        self.assert_violation({"attic:a": []}, "attic: unknown package; ")

    def test_reading_nothing_is_a_violation(self):
        self.assert_violation({}, "no targets were read")


if __name__ == "__main__":
    junit.main()
