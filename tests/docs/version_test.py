# SPDX-License-Identifier: Apache-2.0
"""Tests that all files agree with the versions in MODULE.bazel."""

import glob
import os
import re
import unittest

from harness import junit, program

# The clone: runfiles are links to its files.
CLONE = os.path.dirname(os.path.realpath("MODULE.bazel"))

_MODULE = re.compile(r'^module\(\n    name = "tokenusage",\n    version = "([0-9.]+)",$', re.M)
_DEPENDENCY = re.compile(r'^bazel_dep\(name = "([^"]*)", version = "([^"]*)"', re.M)
_CHANGE = re.compile(r"^## ([0-9.]+)", re.M)


def read(path):
    with open(os.path.join(CLONE, path), encoding="utf-8") as file:
        return file.read()


def parts(version):
    """Returns a version as numbers, for comparison."""
    return [int(part) for part in version.split(".")]


class VersionTest(unittest.TestCase):
    def setUp(self):
        (self.version,) = _MODULE.findall(read("MODULE.bazel"))

    def test_the_program_prints_it(self):
        self.assertEqual(program.run("--version").stdout.decode(), self.version + "\n")
        said = program.run("version").stdout.decode()
        self.assertRegex(said, r"\b%s\b" % re.escape(self.version))

    def test_the_changelog_begins_with_it(self):
        versions = _CHANGE.findall(read("CHANGELOG.md"))
        self.assertEqual(versions[0], self.version)
        self.assertEqual(versions, sorted(versions, key=parts, reverse=True))

    def test_importers_name_the_same_versions(self):
        ours = dict(_DEPENDENCY.findall(read("MODULE.bazel")), tokenusage=self.version)
        importers = set()
        for pattern in ("docs/**/*.md", "*.md", "tests/consumers/**/MODULE.bazel"):
            for path in glob.glob(os.path.join(CLONE, pattern), recursive=True):
                for module, version in _DEPENDENCY.findall(read(path)):
                    where = os.path.relpath(path, CLONE)
                    importers.add(where)
                    self.assertEqual(version, ours.get(module), (where, module))
        self.assertLessEqual(
            {"docs/bindings.md", "tests/consumers/module/MODULE.bazel"}, importers
        )

    def test_no_released_schema_is_newer(self):
        names = os.listdir(os.path.join(CLONE, "tests/schema/released"))
        newest = max(parts(name[: -len(".binpb")]) for name in names)
        self.assertLessEqual(newest, parts(self.version))


if __name__ == "__main__":
    junit.main()
