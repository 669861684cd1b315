# SPDX-License-Identifier: Apache-2.0
"""Tests that the tables of docs/providers.md are up to date, and that the check can fail."""

import os
import shutil
import subprocess
import tempfile
import unittest

from harness import junit

STALE = "docs/providers.md is out of date: run tools/docs/provider_tables\n"


def check(folder):
    """Runs the check in a folder; returns its exit code and its error output."""
    done = subprocess.run(
        ["tools/docs/provider_tables", "--check"],
        cwd=folder,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    return done.returncode, done.stderr


class ProviderTablesTest(unittest.TestCase):
    def test_are_up_to_date(self):
        self.assertEqual(check("."), (0, ""))

    def check_changed(self, path, before, after):
        """Runs the check in a copy in which one file is changed."""
        folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, folder)
        for name in ("docs", "proto", "tests/usage", "tools"):
            shutil.copytree(name, os.path.join(folder, name))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(before, text)
        with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
            file.write(text.replace(before, after))
        return check(folder)

    def test_a_change_makes_them_stale(self):
        for path, before in (
            ("docs/providers.md", "`groq_chat`"),
            ("proto/tokenusage/groq/v1/chat.proto", "groq-python 1.6.0"),
            ("tests/usage/testdata/groq_chat.txtpb", "cache_read_tokens"),
        ):
            self.assertEqual(self.check_changed(path, before, "images"), (1, STALE), path)

    def test_each_provider_needs_a_table(self):
        self.assertEqual(
            self.check_changed("docs/providers.md", "<!-- table: groq -->", ""),
            (1, "docs/providers.md: no <!-- table: groq -->\n"),
        )


if __name__ == "__main__":
    junit.main()
