# SPDX-License-Identifier: Apache-2.0
"""Tests that links within the project lead to existing files and headings."""

import os
import re
import unittest

import blocks
from harness import junit

# The clone: runfiles are links to its files.
CLONE = os.path.dirname(os.path.realpath("README.md"))

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def links(text):
    """Returns the (path, anchor) pairs of a document's links within the project."""
    found = _LINK.findall(_FENCED.sub("", text))
    return [link.partition("#")[::2] for link in found if not re.match("[a-z]+:", link)]


def anchors(text):
    """Returns the anchors of a document's headings."""
    headings = _HEADING.findall(_FENCED.sub("", text))
    return {re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class LinksTest(unittest.TestCase):
    def test_links_lead_somewhere(self):
        documents = blocks.documents(CLONE)
        self.assertIn("README.md", documents)
        for document in documents:
            path = os.path.join(CLONE, document)
            for link, anchor in links(read(path)):
                with self.subTest(document, link=link, anchor=anchor):
                    target = os.path.join(os.path.dirname(path), link) if link else path
                    self.assertTrue(os.path.exists(target), "no such file")
                    if anchor:
                        self.assertIn(anchor, anchors(read(target)))

    def test_finds_links_and_anchors(self):
        text = "# A b: c_d\n[x](a/b.md#c), [y](https://x) [z](#d)\n```sh\n[v](w)\n```\n"
        self.assertEqual(links(text), [("a/b.md", "c"), ("", "d")])
        self.assertEqual(anchors(text), {"a-b-c_d"})


if __name__ == "__main__":
    junit.main()
