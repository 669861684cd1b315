# SPDX-License-Identifier: Apache-2.0
"""Tests that required members and names in JSON are those of the last release.

The schema's breaking-change check (tools/ci/check_schema) does not look at options of our
own.
"""

import glob
import importlib
import os
import re
import sys
import unittest
import zipfile

from google.protobuf import descriptor_pb2

from harness import junit
from tokenusage.v1 import options_pb2


def all_files():
    """Returns the modules of all .proto files."""
    archive = next(path for path in sys.path if path.endswith("messages.zip"))
    return [
        importlib.import_module(name[: -len(".py")].replace("/", "."))
        for name in zipfile.ZipFile(archive).namelist()
        if name.endswith("_pb2.py")
    ]


def last_release():
    """Returns the descriptor set of the newest release."""

    def version(path):
        return [int(part) for part in re.findall(r"\d+", os.path.basename(path))]

    with open(max(glob.glob("tests/schema/released/*.binpb"), key=version), "rb") as file:
        return descriptor_pb2.FileDescriptorSet.FromString(file.read())


def json_rules(files):
    """Maps each field of FileDescriptorProtos to (required, wire_name)."""
    found = {}

    def visit(prefix, message):
        name = "%s.%s" % (prefix, message.name)
        for field in message.field:
            options = field.options.Extensions
            found["%s.%s" % (name, field.name)] = (
                options[options_pb2.required],
                options[options_pb2.wire_name],
            )
        for nested in message.nested_type:
            visit(name, nested)

    for file in files:
        if file.package.startswith("tokenusage."):
            for message in file.message_type:
                visit(file.package, message)
    return found


def proto_of(module):
    return descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)


def broken(before, after):
    """Returns the released fields that were changed or removed, and the new ones that break.

    A new field breaks if it is required in a message that has been released.
    """
    changed = [name for name, rules in before.items() if after.get(name) != rules]
    # Old writers do not set a new field, so it must not be required.
    messages = {name.rpartition(".")[0] for name in before}
    return sorted(
        changed
        + [
            name
            for name, (required, _) in after.items()
            if required and name not in before and name.rpartition(".")[0] in messages
        ]
    )


class RequiredTest(unittest.TestCase):
    def test_nothing_that_was_released_changed(self):
        released = json_rules(last_release().file)
        self.assertEqual(
            released["tokenusage.orq.v2.PostV2ProxyImagesEditsUsage.total_tokens"], (True, "")
        )
        self.assertEqual(broken(released, json_rules(map(proto_of, all_files()))), [])

    def test_finds_every_kind_of_break(self):
        before = {"p.M.a": (True, ""), "p.M.b": (False, ""), "p.M.c": (False, "x")}
        self.assertEqual(broken(before, {**before, "p.M.d": (False, ""), "p.N.e": (True, "")}), [])
        self.assertEqual(broken(before, {**before, "p.M.a": (False, "")}), ["p.M.a"])
        self.assertEqual(broken(before, {**before, "p.M.b": (True, "")}), ["p.M.b"])
        self.assertEqual(broken(before, {**before, "p.M.c": (False, "y")}), ["p.M.c"])
        self.assertEqual(broken(before, {**before, "p.M.d": (True, "")}), ["p.M.d"])
        self.assertEqual(broken(before, {}), ["p.M.a", "p.M.b", "p.M.c"])


if __name__ == "__main__":
    junit.main()
