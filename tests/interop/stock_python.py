# SPDX-License-Identifier: Apache-2.0
"""Reads the vectors with Python's own protobuf, and writes them: stock_python.py
VECTORS WRITTEN. Prints the differences and exits with 1, or prints the number of vectors.
"""

import glob
import os
import struct
import sys

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor

from tokenusage.v1 import usage_reporting_service_pb2

# The service's file imports those of all other messages.
_POOL = usage_reporting_service_pb2.DESCRIPTOR.pool

# Field 1000, which no message has: it must survive being read and written.
UNKNOWN = b"\xc2\x3e\x03abc"


def _text(field, value):
    if field.type == FieldDescriptor.TYPE_STRING:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return '"%s"' % escaped
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return struct.pack(">d", value).hex()
    return str(value).lower()  # bools, integers, enum numbers


def _is_repeated(field):
    try:
        return field.is_repeated  # the only way in newer protobuf
    except AttributeError:
        return field.label == FieldDescriptor.LABEL_REPEATED


def _lines(path, message):
    for field, value in message.ListFields():
        name = path + field.name
        if field.message_type and field.message_type.GetOptions().map_entry:
            value_field = field.message_type.fields_by_name["value"]
            for key in sorted(value, key=str.encode):
                quoted = _text(field.message_type.fields_by_name["key"], key)
                yield "%s[%s] %s" % (name, quoted, _text(value_field, value[key]))
            continue
        repeated = _is_repeated(field)
        for index, element in enumerate(value if repeated else [value]):
            at = "%s[%d]" % (name, index) if repeated else name
            if field.message_type:
                yield at + " {}"
                yield from _lines(at + ".", element)
            else:
                yield "%s %s" % (at, _text(field, element))


def values_of(message):
    """Returns the text that values.h describes."""
    lines = ["message " + message.DESCRIPTOR.full_name, *_lines("", message)]
    return "".join(line + "\n" for line in lines)


def message_type(values):
    """Returns the class that the first line of a values file names."""
    name = values.split("\n", 1)[0].split(" ")[1]
    return _POOL.FindMessageTypeByName(name)._concrete_class


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def run(vectors, written):
    """Reads and writes all vectors; returns their number, and the differences."""
    count, failures = 0, []

    def expect(place, expected, found):
        if expected != found:
            failures.append("%s\nexpected: %s\nfound:    %s" % (place, expected, found))

    for path in sorted(glob.glob(os.path.join(vectors, "*.values"))):
        base = path[: -len(".values")]
        expected = _read(path).decode()
        kind = message_type(expected)
        binary = _read(base + ".binpb")
        message = kind.FromString(binary)
        expect(base + ".binpb", expected, values_of(message))
        from_json = json_format.Parse(_read(base + ".json").decode(), kind())
        expect(base + ".json", expected, values_of(from_json))
        kept = kind.FromString(binary + UNKNOWN).SerializeToString()
        expect(base + " with an unknown field", True, kept.endswith(UNKNOWN))
        to = os.path.join(written, os.path.basename(base))
        _write(to + ".binpb", message.SerializeToString())
        _write(to + ".json", json_format.MessageToJson(message, indent=None).encode() + b"\n")
        count += 1
    return count, failures


if __name__ == "__main__":
    vector_count, differences = run(*sys.argv[1:3])
    if differences or not vector_count:
        sys.exit("\n".join(differences) or "no vectors")
    print("%d vectors" % vector_count)
