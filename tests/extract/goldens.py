# SPDX-License-Identifier: Apache-2.0
"""The golden usages of tests/usage/testdata, read without protobuf."""

import ast
import collections
import re

# `json` is the provider's object, on one line.
Golden = collections.namedtuple("Golden", "name json is_inconsistent")

_RECORD = "proto/tokenusage/v1/usage_record.proto"
_GOLDENS = "tests/usage/testdata/%s.txtpb"

_MEMBER = re.compile(r"^    (tokenusage\.\S+)\s+(\w+)\s*=\s*\d+", re.MULTILINE)
_STRING = r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"


def read(path):
    """Returns a file's text."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def strings(field, text):
    """Returns the values of a string field in text format."""
    literals = r"^  %s:((?:\s*%s)+)" % (field, _STRING)
    return [
        "".join(ast.literal_eval(part) for part in re.findall(_STRING, value))
        for value in re.findall(literals, text, re.MULTILINE)
    ]


def messages(name, text):
    """Returns the text of each message `name` of a file in text format."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    return re.split(r"^%s \{" % name, text, flags=re.MULTILINE)[1:]


def members():
    """Returns the members of UsageRecord's oneof for providers, and their messages."""
    return {member: message for message, member in _MEMBER.findall(read(_RECORD))}


def goldens(member):
    """Returns the cases of a member that are not refused."""
    return [
        Golden(
            strings("name", case)[0],
            re.sub(r"\s*\n\s*", "", strings("json", case)[0]),
            bool(strings("inconsistent_fields", case)),
        )
        for case in messages("cases", read(_GOLDENS % member))
        if not strings("error", case)
    ]
