# SPDX-License-Identifier: Apache-2.0
"""Turns the repositories that wrap the system's libraries into Bazel modules.

With them MODULE.bazel is built unchanged, and without a network.

system_modules.py make FOLDER EXTERNAL MODULE.bazel: writes a module to FOLDER for each
bazel_dep of MODULE.bazel. Its content is that of the repository in EXTERNAL, which Bazel
made in WORKSPACE mode with bazel/system_dependencies.bzl. Fails if there is none.

system_modules.py flags FOLDER MODULE.bazel [IMPORTED]: prints the flags that make Bazel
use these modules for the project of MODULE.bazel, which may import that of IMPORTED.
"""

import pathlib
import re
import shutil
import sys

# Names the modules that come with Debian's Bazel.
BAZELRC = pathlib.Path("/etc/bazel/bazelrc")
# Bazel's own module depends on these but uses nothing of them.
EMPTY = ("apple_support", "buildozer", "zlib")


def dependencies(module_file, development=True):
    """Maps repository names of a MODULE.bazel, which is valid Python, to modules."""
    debians = re.findall(r"--override_module=(\w+)=", BAZELRC.read_text())
    found = {}

    def bazel_dep(name, version, repo_name=None, dev_dependency=False):
        if name not in debians and (development or not dev_dependency):
            found[repo_name or name] = name

    code = compile(module_file.read_text(), str(module_file), "exec")
    known = {
        "bazel_dep": bazel_dep,
        "local_path_override": lambda **_: None,
        "module": lambda **_: None,
    }
    exec(code, known)
    return found


def mentioned(folder, names):
    """Returns those of the repository names that the files of a repository mention."""
    text = "".join(
        path.read_text()
        for path in folder.rglob("*")
        if path.suffix in (".bazel", ".bzl")
    )
    return sorted(names & set(re.findall(r"@(\w+)//", text)))


def make_module(repository, names, external, folder):
    """Copies a repository and writes its MODULE.bazel."""
    source, target = external / repository, folder / names[repository]
    if not source.is_dir():
        sys.exit("MODULE.bazel names %s, as @%s, and bazel/system_dependencies.bzl "
                 "declares no such repository, or nothing uses it"
                 % (names[repository], repository))
    shutil.copytree(source, target, symlinks=True)
    lines = ["module(name = %r, repo_name = %r)" % (names[repository], repository)]
    lines += [
        "bazel_dep(name = %r, repo_name = %r)" % (names[needed], needed)
        for needed in mentioned(source, set(names) - {repository})
    ]
    (target / "MODULE.bazel").write_text("\n".join(lines) + "\n")


def make(folder, external, module_file):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    names = dependencies(module_file)
    for repository in names:
        make_module(repository, names, external, folder)
    for module in EMPTY:
        (folder / module).mkdir()
        (folder / module / "MODULE.bazel").write_text("module(name = %r)\n" % module)
        (folder / module / "BUILD.bazel").touch()


def print_flags(folder, module_file, imported=None):
    modules = {*EMPTY, *dependencies(module_file).values()}
    if imported:
        modules.remove("tokenusage")
        modules.update(dependencies(imported, development=False).values())
    for module in sorted(modules):
        print("--override_module=%s=%s" % (module, folder / module))


if __name__ == "__main__":
    {"make": make, "flags": print_flags}[sys.argv[1]](*map(pathlib.Path, sys.argv[2:]))
