# SPDX-License-Identifier: Apache-2.0
"""Converts Bazel's compile actions to a compile_commands.json for clang-tidy and editors.

Reads the output of `bazel aquery --output=jsonproto 'mnemonic(CppCompile, ...)'` from
standard input; the only argument is `bazel info execution_root`. Build the targets first
to generate their headers.
"""

import json
import sys

# Flags that only GCC knows. Warning flags are dropped, too: the compiler reports warnings.
_GCC_ONLY = ("-fno-canonical-system-headers",)


def to_entry(arguments, directory):
    arguments = [
        argument
        for argument in arguments
        if argument not in _GCC_ONLY and not argument.startswith("-W")
    ]
    source = arguments[arguments.index("-c") + 1]
    return {"directory": directory, "arguments": arguments, "file": source}


def main():
    directory = sys.argv[1]
    entries = {}
    for action in json.load(sys.stdin)["actions"]:
        entry = to_entry(action["arguments"], directory)
        if not entry["file"].startswith(("bazel-out/", "external/")):
            entries.setdefault(entry["file"], entry)
    json.dump(list(entries.values()), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
