# SPDX-License-Identifier: Apache-2.0
"""Runs what the documents show; blocks.py says how to write them."""

import ast
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import blocks
import cpp_snippets
from harness import junit

PROGRAM = os.environ["TOKENUSAGE_PROGRAM"]
PROTOC = os.environ["TOKENUSAGE_PROTOC"]
SNIPPETS = os.environ["TOKENUSAGE_SNIPPETS"]
BLOCK_SECONDS = 60


def free_port():
    """Returns an unused port of the loopback address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Shell:
    """Runs the blocks of a document in one bash, in a copy of docs/ and proto/."""

    def __init__(self, needed=()):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.clone = os.path.join(self.folder, "tokenusage")
        for name in ("docs", "proto"):
            shutil.copytree(name, os.path.join(self.clone, name))
        programs = os.path.join(self.folder, "bin")
        os.mkdir(programs)
        os.symlink(PROGRAM, os.path.join(programs, "tokenusage"))
        for name in needed:
            os.symlink(shutil.which(name), os.path.join(programs, name))
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TOKENUSAGE_")}
        address = "127.0.0.1:%d" % free_port()
        self.environment = {
            **kept,
            "PATH": programs + ":/usr/local/bin:/usr/bin:/bin",
            "HOME": self.folder,
            "TOKENUSAGE_LISTEN": address,
            "TOKENUSAGE_SERVER": address,
        }

    def run(self, scripts):
        """Runs these scripts in one shell.

        Returns the index of the script that failed, or None; the output of each; and
        their error output.
        """
        outputs = [os.path.join(self.folder, "out%d" % i) for i in range(len(scripts))]
        lines = ["set -eo pipefail"]
        for i, script in enumerate(scripts):
            path = os.path.join(self.folder, "block%d" % i)
            with open(path, "w", encoding="utf-8") as file:
                file.write(script)
            lines.append("echo %d >%s/at; . %s >%s" % (i, self.folder, path, outputs[i]))
        lines.append("echo done >%s/at" % self.folder)
        errors = os.path.join(self.folder, "errors")
        with open(errors, "w", encoding="utf-8") as stderr:
            shell = subprocess.Popen(
                ["/bin/bash", "-c", "\n".join(lines)],
                cwd=self.clone,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
            try:
                shell.wait(BLOCK_SECONDS * len(scripts))
            except subprocess.TimeoutExpired:
                stderr.write("did not end in %d s" % (BLOCK_SECONDS * len(scripts)))
            finally:
                with contextlib.suppress(ProcessLookupError):
                    # Also stops background processes of the document.
                    os.killpg(shell.pid, signal.SIGKILL)
                shell.wait()
        at = self._read("at").strip()
        texts = [self._read("out%d" % i) for i in range(len(scripts))]
        return None if at == "done" else int(at), texts, self._read("errors")

    def _read(self, name):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self):
        """Removes the copy."""
        shutil.rmtree(self.folder)


class DocumentsTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.documents = {path: blocks.read_blocks(path) for path in blocks.documents()}

    def each_block(self, *languages):
        """Yields the blocks in these languages that are not left out."""
        for found in self.documents.values():
            for block in found:
                if block.language in languages and not blocks.is_left_out(block):
                    with self.subTest(blocks.place_of(block)):
                        yield block

    def check_output(self, block, output):
        expected = blocks.expected_output(self.documents[block.document], block)
        if expected is not None and not re.fullmatch(blocks.pattern_of(expected), output):
            self.assertEqual(output, expected)

    def test_there_are_documents_and_blocks_in_them(self):
        self.assertIn("README.md", self.documents)
        self.assertIn("docs/json.md", self.documents)
        languages = {b.language for found in self.documents.values() for b in found}
        self.assertLessEqual({"sh", "cpp", "proto", "python"}, languages)

    def test_outputs_follow_what_prints_them(self):
        for found in self.documents.values():
            for before, block in zip([None] + found, found):
                if "prints" in block.directives:
                    with self.subTest(blocks.place_of(block)):
                        self.assertIn(before and before.language, ("sh", "cpp"))
                        self.assertNotIn("skip", before.directives)

    def test_shell_blocks_run(self):
        for found in self.documents.values():
            to_run = [b for b in found if b.language == "sh" and not blocks.is_left_out(b)]
            if not to_run:
                continue
            shell = Shell({b.directives["needs"] for b in to_run if "needs" in b.directives})
            self.addCleanup(shell.close)
            # Programs other than ours do not know TOKENUSAGE_SERVER.
            scripts = [
                blocks.script_of(b.code).replace(
                    "127.0.0.1:8105", shell.environment["TOKENUSAGE_LISTEN"]
                )
                if "needs" in b.directives
                else blocks.script_of(b.code)
                for b in to_run
            ]
            http_address = "127.0.0.1:%d" % free_port()
            scripts = [s.replace("127.0.0.1:8106", http_address) for s in scripts]
            at, outputs, errors = shell.run(scripts)
            if at is not None:
                block = to_run[at]
                self.fail("%s:\n%s\n%s" % (blocks.place_of(block), block.code, errors))
            for block, output in zip(to_run, outputs):
                with self.subTest(blocks.place_of(block)):
                    self.check_output(block, output)

    def test_cpp_blocks_with_a_main_run(self):
        for block in self.each_block("cpp"):
            if not cpp_snippets.has_main(block):
                continue
            done = subprocess.run(
                [SNIPPETS, cpp_snippets.name_of(block)],
                stdout=subprocess.PIPE,
                timeout=BLOCK_SECONDS,
            )
            self.assertEqual(done.returncode, 0)
            self.check_output(block, done.stdout.decode())

    def test_proto_blocks_compile(self):
        for block in self.each_block("proto"):
            code = block.code
            if "syntax" not in code:
                code = (
                    'syntax = "proto3"; import "tokenusage/v1/options.proto";'
                    'import "google/protobuf/timestamp.proto"; ' + code
                )
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "block.proto")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(code)
                done = subprocess.run(
                    [PROTOC, "-I" + folder, "-Iproto", "--descriptor_set_out=/dev/null", path],
                    stderr=subprocess.PIPE,
                )
            self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_json_and_bazel_blocks_parse(self):
        for block in self.each_block("json"):
            json.loads(block.code)
        for block in self.each_block("python"):
            ast.parse(block.code)  # Starlark is a subset of Python.


class HelpersTest(unittest.TestCase):
    """Tests that the tests above can fail."""

    def run_blocks(self, *codes):
        shell = Shell()
        self.addCleanup(shell.close)
        return shell.run([blocks.script_of(code) for code in codes])

    def test_blocks_share_a_shell_and_keep_their_outputs_apart(self):
        at, outputs, _ = self.run_blocks("x=1; echo a\n", "echo $x\n")
        self.assertEqual((at, outputs), (None, ["a\n", "1\n"]))

    def test_a_failing_command_fails_its_block(self):
        at, _, errors = self.run_blocks("true\n", "ls /no/such/folder\necho\n", "true\n")
        self.assertEqual(at, 1)
        self.assertIn("/no/such/folder", errors)
        self.assertEqual(self.run_blocks("false | true\n")[0], 0)

    def test_exit_codes_are_compared(self):
        self.assertIsNone(self.run_blocks("(exit 3)  # exits with 3\n")[0])
        self.assertEqual(self.run_blocks("(exit 3)  # exits with 2\n")[0], 0)
        self.assertEqual(self.run_blocks("true  # exits with 2\n")[0], 0)

    def test_outputs_match_by_pattern(self):
        self.assertTrue(re.fullmatch(blocks.pattern_of("a ... (b)\nc\n"), "a x y (b)\nc\n"))
        self.assertFalse(re.fullmatch(blocks.pattern_of("a ... b\n"), "a\nb\n"))
        self.assertFalse(re.fullmatch(blocks.pattern_of("a.c\n"), "abc\n"))


if __name__ == "__main__":
    junit.main()
