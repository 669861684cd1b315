# SPDX-License-Identifier: Apache-2.0
"""Tests what blocks.py finds in a document, and what it refuses."""

import unittest

import blocks
from harness import junit


def read(*lines):
    return blocks.read_blocks("x.md", "\n".join(lines) + "\n")


class BlocksTest(unittest.TestCase):
    def test_finds_blocks_with_language_and_line(self):
        found = read("# Title", "", "```sh", "a", "  b", "```", "text", "```cpp", "```")
        self.assertEqual(
            [(b.line, b.language, b.code, b.directives) for b in found],
            [(4, "sh", "a\n  b\n", {}), (9, "cpp", "", {})],
        )

    def test_a_directive_belongs_to_the_next_block_only(self):
        found = read("<!-- docs-test: skip: needs root -->", "", "```sh", "```", "```sh", "```")
        self.assertEqual([b.directives for b in found], [{"skip": "needs root"}, {}])

    def test_a_directive_may_have_several_lines(self):
        found = read("<!-- docs-test: within:", "#include <a>", "...", "-->", "```cpp", "```")
        self.assertEqual(found[0].directives, {"within": "#include <a>\n..."})

    def test_other_comments_are_ignored(self):
        self.assertEqual(read("<!-- a", "note -->", "```text", "```")[0].directives, {})

    def test_lists_may_be_indented(self):
        self.assertEqual(read("1. one", "", "    continued", "", "    twice"), [])

    def refuse(self, words, *lines):
        with self.assertRaises(blocks.DocumentError) as caught:
            read(*lines)
        self.assertIn(words, str(caught.exception))

    def test_refuses_blocks_that_no_test_would_run(self):
        self.refuse("x.md:2: found language ''", "", "```", "ls", "```")
        self.refuse("x.md:1: found language 'bash'", "```bash", "ls", "```")
        self.refuse("x.md:3: an indented block", "Then call:", "", "    ls")
        self.refuse("x.md:1: a block must start at the line's start", "  ```sh", "  ls", "  ```")
        self.refuse("x.md:1: a block without its end", "```sh", "ls")

    def test_refuses_directives_without_effect(self):
        self.refuse("x.md:1: skip: expected a text", "<!-- docs-test: skip -->", "```sh", "```")
        self.refuse("unknown directive 'omit'", "<!-- docs-test: omit: x -->", "```sh", "```")
        self.refuse("within is not allowed for sh", "<!-- docs-test: within: x -->", "```sh", "```")
        self.refuse("expected a code block", "<!-- docs-test: skip: x -->", "text", "```sh", "```")
        self.refuse(
            "no tool follows this document", "<!-- docs-test: by: me -->", "```sh", "```"
        )
        self.refuse("without a block", "<!-- docs-test: skip: x -->")
        self.refuse("a comment without its -->", "<!-- docs-test: skip: x", "```sh", "```")
        self.refuse("expected <!-- docs-test: NAME", "<!-- docs-test skip -->", "```sh", "```")


if __name__ == "__main__":
    junit.main()
