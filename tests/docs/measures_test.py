# SPDX-License-Identifier: Apache-2.0
"""Tests that docs/measures.md has every measure and is up to date."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import junit

from tokenusage.v1 import measures_pb2

DOCUMENT = "docs/measures.md"


def check(folder):
    """Runs the check in a folder; returns its exit code and its error output."""
    done = subprocess.run(
        ["tools/docs/measures", "--check"],
        cwd=folder,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    return done.returncode, done.stderr


class MeasuresTest(unittest.TestCase):
    def test_is_up_to_date(self):
        self.assertEqual(check("."), (0, ""))

    def test_has_every_measure_in_order(self):
        with open(DOCUMENT, encoding="utf-8") as file:
            rows = re.findall(r"^\| `(\w+)` \|", file.read(), re.MULTILINE)
        self.assertEqual(rows, [field.name for field in measures_pb2.TokenUsage.DESCRIPTOR.fields])

    def test_a_new_count_makes_it_stale(self):
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, folder)
        for name in ("docs", "tests/usage/testdata", "tools/docs"):
            shutil.copytree(name, os.path.join(folder, name))
        self.assertEqual(check(folder), (0, ""))
        with open(folder + "/tests/usage/testdata/new_chat.txtpb", "w") as file:
            file.write('counts { key: "pages" value: "1" }\n')
        stale = "docs/measures.md is out of date: run tools/docs/measures\n"
        self.assertEqual(check(folder), (1, stale))


if __name__ == "__main__":
    junit.main()
