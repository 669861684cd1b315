# SPDX-License-Identifier: Apache-2.0
"""Tests that we and other implementations of protobuf read the same values from vectors.

The others are Python's protobuf, and files that JavaScript's, Java's and Python's once
wrote; tools/ci/check_interop runs those of JavaScript and Java.
"""

import os
import shutil
import subprocess
import tempfile
import unittest

import stock_python
from harness import junit

VECTORS = "tests/interop/vectors"
GOLDEN_CASES = "tests/usage/testdata"
WRITTEN = "tests/interop/written"
PROGRAM = os.environ["TOKENUSAGE_VECTORS_PROGRAM"]


def run(*args):
    """Runs vectors.cc's program; returns its exit code and output."""
    done = subprocess.run(
        [PROGRAM, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.returncode, done.stdout.decode(errors="replace")


class InteropTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.count = sum(name.endswith(".txtpb") for name in os.listdir(VECTORS))
        self.all_vectors = (0, "%d vectors\n" % self.count)

    def test_we_read_and_write_every_vector(self):
        self.assertEqual(run("check", VECTORS), self.all_vectors)

    def test_python_reads_what_we_write_and_we_what_it_writes(self):
        count, failures = stock_python.run(VECTORS, self.folder)
        self.assertEqual((count, failures), (self.count, []))
        self.assertEqual(run("read", VECTORS, self.folder), self.all_vectors)

    def test_python_exchanges_every_usage(self):
        made = os.path.join(self.folder, "made")
        written = os.path.join(self.folder, "written")
        for folder in (made, written):
            os.mkdir(folder)
        self.assertEqual(run("golden", GOLDEN_CASES, made), (0, ""))
        count = len(os.listdir(GOLDEN_CASES))
        self.assertEqual(stock_python.run(made, written), (count, []))
        self.assertEqual(run("read", made, written), (0, "%d vectors\n" % count))

    def test_we_read_what_others_wrote(self):
        languages = sorted(os.listdir(WRITTEN))
        self.assertEqual(languages, ["java", "javascript", "python"])
        for language in languages:
            with self.subTest(language):
                folder = os.path.join(WRITTEN, language)
                self.assertEqual(run("read", VECTORS, folder), self.all_vectors)

    def copy_of_vectors(self):
        copy = os.path.join(self.folder, "vectors")
        shutil.copytree(VECTORS, copy)
        return copy

    def test_every_difference_is_noticed(self):
        """Changes each kind of file; our reader and Python's must both notice."""
        for extension, before, after in (
            (".json", b"1442.01", b"1442.02"),
            (".binpb", b"customer_id", b"customer_ie"),
            (".values", b"1732290378", b"1732290379"),
        ):
            with self.subTest(extension):
                copy = self.copy_of_vectors()
                path = os.path.join(copy, "record_full" + extension)
                with open(path, "rb") as file:
                    content = file.read()
                self.assertIn(before, content)
                os.remove(path)
                with open(path, "wb") as file:
                    file.write(content.replace(before, after))
                code, said = run("check", copy)
                self.assertEqual(code, 1)
                self.assertIn("record_full" + extension, said)
                written = os.path.join(self.folder, "written")
                os.mkdir(written)
                self.assertNotEqual(stock_python.run(copy, written)[1], [])
                shutil.rmtree(copy)
                shutil.rmtree(written)

    def test_every_message_needs_a_vector(self):
        copy = self.copy_of_vectors()
        os.remove(os.path.join(copy, "measure_total.txtpb"))
        code, said = run("check", copy)
        self.assertEqual(code, 1)
        self.assertIn("tokenusage.v1.MeasureTotal\nexpected: a vector", said)


if __name__ == "__main__":
    junit.main()
