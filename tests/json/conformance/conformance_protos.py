# SPDX-License-Identifier: Apache-2.0
"""Copies the conformance suite's .proto files so that //:json can map their messages.

conformance_protos.py FROM TO: fields of types that docs/json.md does not support become
reserved, and the testee skips tests of reserved fields. All other fields get their
lowerCamelCase names as wire names.
"""

import pathlib
import re
import sys

MESSAGES = "google/protobuf/test_messages_proto3.proto"
FIELD = re.compile(
    r"^(?P<indent> *)(?P<type>(?:repeated |optional )?[\w.]+(?:<[^>]*>)?) "
    r"(?P<name>\w+) = (?P<number>\d+)(?: \[(?P<options>[^]]*)\])?;(?P<rest>.*)$")
UNSUPPORTED = re.compile(
    r"map<(?!string\b)|google\.protobuf\.(?!Timestamp\b)")


def wire_name(name):
    """Returns the lowerCamelCase name that protobuf derives."""
    return re.sub(r"_+(.?)", lambda match: match[1].upper(), name)


def convert(line, skipped):
    """Returns the line as the copy has it. Adds a field that is left out to `skipped`."""
    field = FIELD.match(line)
    if not field:
        return line
    name = wire_name(field["name"])
    if UNSUPPORTED.search(field["type"]):
        skipped.append((field["number"], field["name"], name))
        return ""
    options = [field["options"]] if field["options"] else []
    options += [f'json_name = "{name}"', f'(tokenusage.v1.wire_name) = "{name}"']
    return (f"{field['indent']}{field['type']} {field['name']} = {field['number']} "
            f"[{', '.join(options)}];{field['rest']}")


def main():
    source, target = (pathlib.Path(argument) for argument in sys.argv[1:])
    for name in ("conformance/conformance.proto", MESSAGES):
        text = (source / name).read_text()
        if name == MESSAGES:
            # Joins declarations of fields that span two lines.
            text = re.sub(r"=\n +(\d+)", r"= \1", text)
            skipped = []
            text = "\n".join(convert(line, skipped) for line in text.split("\n"))
            numbers = ", ".join(number for number, _, _ in skipped)
            names = ", ".join(f'"{name}"' for _, *both in skipped for name in both)
            text = text.replace("message TestAllTypesProto3 {",
                                "message TestAllTypesProto3 {\n"
                                f"  reserved {numbers};\n  reserved {names};")
            text = text.replace("\nimport ", '\nimport "tokenusage/v1/options.proto";\nimport ', 1)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text)


main()
