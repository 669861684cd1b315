# SPDX-License-Identifier: Apache-2.0
"""Writes the C++ blocks of documents as a program's sources: cpp_snippets.py FOLDER DOCUMENT...

Each block becomes a file with its own namespace; the program runs the block whose
name_of is its argument. Compiler errors name the document and the line.
"""

import os
import re
import sys

import blocks

_INCLUDE = re.compile(r"^#include .*\n", re.MULTILINE)
_MAIN = re.compile(r"^int main\(\)", re.MULTILINE)


def name_of(block):
    """Returns the name of a block's namespace and file."""
    return "%s_%d" % (re.sub(r"\W", "_", block.document), block.line)


def has_main(block):
    """Returns whether the block is a program that can be run."""
    return bool(_MAIN.search(block.code))


def _source(block):
    line_directive = '#line %d "%s"\n' % (block.line, block.document)
    # Includes move out of the namespace; blank lines keep the line numbers.
    code = line_directive + _INCLUDE.sub("\n", block.code)
    around = block.directives.get("within", "...")
    before, _, after = around.partition("...")
    includes = "".join(_INCLUDE.findall(before + "\n" + block.code))
    if has_main(block):
        # Only the global main() returns 0 implicitly.
        end = code.rindex("}")
        code = code[:end] + "return 0;\n" + code[end:]
    return "%snamespace %s {\n%s\n%s%s\n}\n" % (
        includes,
        name_of(block),
        _INCLUDE.sub("", before),
        code,
        after,
    )


def _main_source(programs):
    """Returns a main() that runs the program its argument names; 125 if there is none."""
    names = [name_of(block) for block in programs]
    return "#include <cstring>\n%sint main(int, char** argv) {\n%s  return 125;\n}\n" % (
        "".join("namespace %s {\nint main();\n}\n" % name for name in names),
        "".join(
            '  if (!std::strcmp(argv[1], "%s")) return %s::main();\n' % (name, name)
            for name in names
        ),
    )


def write_sources(folder, found):
    """Writes a file for each C++ block that is not left out, and main.cc, to the folder."""
    snippets = [b for b in found if b.language == "cpp" and not blocks.is_left_out(b)]
    sources = {name_of(block) + ".cc": _source(block) for block in snippets}
    sources["main.cc"] = _main_source([block for block in snippets if has_main(block)])
    for name, source in sources.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(source)


if __name__ == "__main__":
    write_sources(sys.argv[1], [b for d in sys.argv[2:] for b in blocks.read_blocks(d)])
