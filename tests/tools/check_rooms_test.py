# SPDX-License-Identifier: Apache-2.0
"""What tools/check_rooms.py finds in the output of `bazel query`."""

import subprocess
import sys
import unittest

from harness import junit


def check(**edges):
    """Runs it on targets: STORE_x=["//..."] is what //cpp/tokenusage/STORE:x uses."""
    rules = "".join(
        '<rule name="%s">%s</rule>' % (
            name if "//" in name else "//cpp/tokenusage/" + name.replace("_", ":"),
            "".join('<rule-input name="%s"/>' % label for label in labels),
        )
        for name, labels in edges.items()
    )
    return subprocess.run(
        [sys.executable, "tools/check_rooms.py"],
        input="<query>%s</query>" % rules, stdout=subprocess.PIPE, text=True)


class CheckRoomsTest(unittest.TestCase):
    def assert_fault(self, result, fault):
        self.assertIn(fault, result.stdout)
        self.assertEqual(result.returncode, 1)

    def test_allows_what_points_the_right_way(self):
        result = check(
            service_a=["//cpp/tokenusage/store:a", "@com_github_grpc_grpc//:grpc++"],
            store_a=["//cpp/tokenusage/store:a.cc", "@org_sqlite//:sqlite3"])
        self.assertEqual(result.stdout, "rooms: 2 targets depend only on what they may\n")
        self.assertEqual(result.returncode, 0)

    def test_no_room_may_see_tests(self):
        self.assert_fault(
            check(json_a=["//tests/json:b"], **{"//tests/json:b": []}),
            "json must not see tests: //cpp/tokenusage/json:a -> //tests/json:b\n")

    def test_names_a_direct_dependency(self):
        self.assert_fault(
            check(json_a=["//cpp/tokenusage/store:b"]),
            "json must not see store: //cpp/tokenusage/json:a -> //cpp/tokenusage/store:b\n")

    def test_follows_root_targets(self):
        self.assert_fault(
            check(**{"store_a": ["//:json"], "//:json": ["//cpp/tokenusage/json:json"]}),
            "store must not see json: //cpp/tokenusage/store:a -> //:json -> "
            "//cpp/tokenusage/json:json\n")

    def test_names_a_repository_that_others_bring_along(self):
        self.assert_fault(
            check(json_a=["//proto/tokenusage/v1:x"],
                  **{"//proto/tokenusage/v1:x": ["@com_github_grpc_grpc//:grpc++"]}),
            "json must not see @com_github_grpc_grpc: ")

    def test_names_a_step_once_by_its_shortest_path(self):
        result = check(
            cli_a=["//cpp/tokenusage/service:a"],
            service_a=["//cpp/tokenusage/store:a"],
            store_a=["//cpp/tokenusage/cli:b"])
        self.assertEqual(
            result.stdout,
            "store must not see cli: //cpp/tokenusage/store:a -> //cpp/tokenusage/cli:b\n")

    def test_a_room_is_declared_first(self):
        self.assert_fault(check(attic_a=[]), "attic: a new room; ")

    def test_nothing_read_is_a_fault(self):
        self.assert_fault(check(), "no room's targets were read")


if __name__ == "__main__":
    junit.main()
