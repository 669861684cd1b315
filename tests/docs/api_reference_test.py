# SPDX-License-Identifier: Apache-2.0
"""Tests that the pages of docs/api are up to date, and that the check can fail."""

import os
import shutil
import subprocess
import tempfile
import unittest

from harness import junit


def check(folder):
    """Runs the check in a folder; returns its exit code and its error output."""
    done = subprocess.run(
        ["tools/docs/api_reference", "--check"],
        cwd=folder,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    return done.returncode, done.stderr


class ApiReferenceTest(unittest.TestCase):
    def test_is_up_to_date(self):
        self.assertEqual(check("."), (0, ""))

    def check_changed(self, path, before, after):
        """Runs the check in a copy in which one file is changed."""
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, folder)
        for name in ("docs", "proto", "tools"):
            shutil.copytree(name, os.path.join(folder, name))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(before, text)
        with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
            file.write(text.replace(before, after))
        return check(folder)

    def test_a_change_makes_it_stale(self):
        schema = "proto/tokenusage/v1/usage_record.proto"
        page = "docs/api/usage_record.md"
        stale = page + " is out of date: run tools/docs/api_reference\n"
        self.assertEqual(self.check_changed(schema, "// Who served", "// Which served"), (1, stale))
        self.assertEqual(self.check_changed(page, "Who served", "x"), (1, stale))

    def test_everything_needs_a_comment(self):
        schema = "proto/tokenusage/v1/usage_record.proto"
        code, error = self.check_changed(schema, "    // An image edit.\n", "")
        self.assertEqual(code, 1)
        self.assertIn("usage_record.proto: no comment at ", error)


if __name__ == "__main__":
    junit.main()
