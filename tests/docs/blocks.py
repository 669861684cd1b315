# SPDX-License-Identifier: Apache-2.0
"""Finds the code blocks of the documents and their directives.

A block is fenced and names its language:

  sh             is run; a document's blocks share one shell in a copy of docs/ and proto/,
                 with `tokenusage` in its PATH. A command that ends with `# exits with 2` must
                 exit with 2
  cpp            is compiled against the root targets, and run if it has an `int main()`
  proto          is compiled
  json, python   are parsed; python stands for Bazel files
  mermaid        is a drawing
  text           is anything else

Directives stand right before a block, as <!-- docs-test: NAME: TEXT -->:

  skip: REASON   no test can run the block
  needs: PROGRAM the block runs only if the program is installed; tools/ci/check_schema
                 installs buf
  prints         this text is the output of the previous block; `...` matches any text
                 within a line
  within: C++    hidden code around the block, which replaces the `...` in that code
  by: TOOL, file: PATH
                 the block is run, or the file written, by a tool that follows the document
                 word for word: tools/ci/check_tutorial for docs/bindings.md,
                 tests/store/postgres/serve_test.py for docs/postgresql.md
"""

import collections
import os
import re
import shutil

# Languages whose blocks documents_test checks, and others.
CHECKED = ("sh", "cpp", "proto", "json", "python")
UNCHECKED = ("mermaid", "text")

# `line` is the number of the first line of code; `directives` maps names to texts.
Block = collections.namedtuple("Block", "document line language code directives")

_FENCE = re.compile(r"^(```+)\s*(\S*)\s*$")
_DIRECTIVE = re.compile(r"^<!--\s*docs-test:\s*([a-z]+)(?::[ ]*(.*))?$", re.DOTALL)
_INDENTED_CODE = re.compile(r"^( {4}|\t)")
_LIST_ITEM = re.compile(r"^\s*([-*+]|\d+\.)\s")
_EXITS_WITH = re.compile(r"^(?! )(.*\S)\s+# exits with (\d+)$", re.MULTILINE)
_DIRECTIVES = {
    "skip": ("sh", "cpp", "proto", "json", "python"),
    "within": ("cpp",),
    "prints": ("text",),
    "needs": ("sh",),
    "by": ("sh",),
    "file": CHECKED + UNCHECKED,
}
# The tools that follow a document from start to end.
_FOLLOWED_BY = {
    "docs/bindings.md": "tools/ci/check_tutorial",
    "docs/postgresql.md": "tests/store/postgres/serve_test.py",
}


def is_left_out(block):
    """Returns whether documents_test leaves the block out."""
    if not block.directives.keys().isdisjoint(("skip", "by", "file")):
        return True
    return "needs" in block.directives and shutil.which(block.directives["needs"]) is None


class DocumentError(Exception):
    """A block that the tests cannot handle; names its place."""


def _read_comment(lines, start):
    """Returns the comment that starts at this line, and the index of the line after it."""
    end = start
    while "-->" not in lines[end]:
        end += 1
        if end == len(lines):
            raise ValueError("a comment without its -->")
    text = "\n".join(lines[start : end + 1])
    return text[: text.index("-->")].rstrip(), end + 1


def _add_directive(directives, comment):
    found = _DIRECTIVE.match(comment)
    if not found:
        if "docs-test" in comment:
            raise ValueError("expected <!-- docs-test: NAME: TEXT -->")
        return
    name, text = found.group(1), (found.group(2) or "").strip("\n")
    if name not in _DIRECTIVES:
        raise ValueError("unknown directive %r, expected one of %s" % (name, ", ".join(_DIRECTIVES)))
    if not text and name != "prints":
        raise ValueError("%s: expected a text" % name)
    directives[name] = text


def _check(document, language, directives):
    if language not in CHECKED + UNCHECKED:
        raise ValueError(
            "found language %r, expected one of %s; no test checks `text`"
            % (language, ", ".join(CHECKED + UNCHECKED))
        )
    for name in directives:
        if language not in _DIRECTIVES[name]:
            raise ValueError("%s is not allowed for %s" % (name, language))
    follower = _FOLLOWED_BY.get(document)
    if not directives.keys().isdisjoint(("by", "file")) and follower is None:
        raise ValueError(
            "no tool follows this document; by and file are for " + ", ".join(_FOLLOWED_BY)
        )
    if directives.get("by", follower) != follower:
        raise ValueError("by: expected %s, found %s" % (follower, directives["by"]))


def _blocks(document, lines):
    found, directives = [], {}
    at, in_list, after_blank = 0, False, True
    while at < len(lines):
        line, place = lines[at], "%s:%d" % (document, at + 1)
        try:
            fence = _FENCE.match(line)
            if line.startswith("<!--"):
                comment, at = _read_comment(lines, at)
                _add_directive(directives, comment)
                continue
            if fence:
                end = next(
                    (i for i in range(at + 1, len(lines)) if lines[i] == fence.group(1)), None
                )
                if end is None:
                    raise ValueError("a block without its end")
                _check(document, fence.group(2), directives)
                code = "".join(code_line + "\n" for code_line in lines[at + 1 : end])
                found.append(Block(document, at + 2, fence.group(2), code, directives))
                directives, at, after_blank = {}, end + 1, False
                continue
            if line.strip():
                if directives:
                    raise ValueError("expected a code block after the docs-test comment")
                if line.lstrip().startswith("```"):
                    raise ValueError("a block must start at the line's start")
                in_list = bool(_LIST_ITEM.match(line)) or (in_list and line.startswith(" "))
                if _INDENTED_CODE.match(line) and after_blank and not in_list:
                    raise ValueError("an indented block: fence it and name its language")
        except ValueError as error:
            raise DocumentError("%s: %s" % (place, error)) from None
        after_blank = not line.strip()
        at += 1
    if directives:
        raise DocumentError("%s: a docs-test comment without a block" % document)
    return found


def read_blocks(document, text=None):
    """Returns the blocks of a document, in order."""
    if text is None:
        with open(document, encoding="utf-8") as file:
            text = file.read()
    return _blocks(document, text.split("\n"))


def documents(root="."):
    """Returns all documents of a clone: those at the top and those in docs/."""
    found = [name for name in os.listdir(root) if name.endswith(".md")]
    for folder, _, names in os.walk(os.path.join(root, "docs"), followlinks=True):
        found += [
            os.path.relpath(os.path.join(folder, name), root)
            for name in names
            if name.endswith(".md")
        ]
    return sorted(found)


def place_of(block):
    """Returns FILE:LINE of a block."""
    return "%s:%d" % (block.document, block.line)


def script_of(code):
    """Returns the block as a script in which `COMMAND  # exits with N` checks the exit code."""
    return _EXITS_WITH.sub(
        r"_exit=0; { \1\n} || _exit=$?; "
        r'[[ $_exit == \2 ]] || { echo "exits with $_exit, not \2" >&2; false; }',
        code,
    )


def expected_output(found, block):
    """Returns the text of the `prints` block after this one, or None."""
    after = found[found.index(block) + 1 :][:1]
    return after[0].code if after and "prints" in after[0].directives else None


def pattern_of(expected):
    """Returns a pattern for an expected output; `...` matches any text within a line."""
    return "[^\n]*".join(re.escape(part) for part in expected.split("..."))
