# SPDX-License-Identifier: Apache-2.0
"""Turns the repositories that wrap the system's libraries into Bazel modules.

They stand in for the modules of the Bazel Central Registry, so that a project with a
MODULE.bazel can be built unchanged, with the system's libraries and without a network.

system_modules.py make FOLDER EXTERNAL MODULE.bazel: replaces FOLDER by one with a module
for each bazel_dep of MODULE.bazel: a copy of its repository in EXTERNAL, the folder in
which a build with WORKSPACE created it by bazel/system_dependencies.bzl. Fails if there is
no such repository.

system_modules.py flags FOLDER MODULE.bazel [IMPORTED]: prints the flags that make Bazel
use these modules for the project of MODULE.bazel. If that project imports tokenusage,
IMPORTED is the MODULE.bazel of tokenusage.
"""

import pathlib
import re
import shutil
import sys

# Lists the modules that Debian's Bazel bundles, as --override_module flags.
BAZELRC = pathlib.Path("/etc/bazel/bazelrc")
# Bazel's own module depends on these but uses nothing from them. They are empty unless this
# project depends on them.
EMPTY = ("apple_support", "buildozer", "zlib")


def dependencies(module_file, development=True):
    """Maps the repository name of each bazel_dep in a MODULE.bazel to its module name.

    Leaves out modules that Debian's Bazel bundles. Runs the file, which is valid Python.
    """
    bundled = re.findall(r"--override_module=(\w+)=", BAZELRC.read_text())
    modules = {}

    def bazel_dep(name, version, repo_name=None, dev_dependency=False):
        if name not in bundled and (development or not dev_dependency):
            modules[repo_name or name] = name

    code = compile(module_file.read_text(), str(module_file), "exec")
    functions = {
        "bazel_dep": bazel_dep,
        "local_path_override": lambda **_: None,
        "module": lambda **_: None,
    }
    exec(code, functions)
    return modules


def mentioned(folder, names):
    """Returns which of the repository names occur in the Bazel files of a folder."""
    text = "".join(
        path.read_text()
        for path in folder.rglob("*")
        if path.suffix in (".bazel", ".bzl")
    )
    return sorted(names & set(re.findall(r"@([\w.]+)//", text)))


def make_module(repository, modules, external, folder):
    """Copies a repository and writes its MODULE.bazel."""
    source, target = external / repository, folder / modules[repository]
    if not source.is_dir():
        sys.exit("MODULE.bazel depends on %s as @%s, but there is no such repository: "
                 "bazel/system_dependencies.bzl does not declare it, or nothing uses it"
                 % (modules[repository], repository))
    shutil.copytree(source, target, symlinks=True)
    lines = ["module(name = %r, repo_name = %r)" % (modules[repository], repository)]
    lines += [
        "bazel_dep(name = %r, repo_name = %r)" % (modules[needed], needed)
        for needed in mentioned(source, set(modules) - {repository})
    ]
    (target / "MODULE.bazel").write_text("\n".join(lines) + "\n")


def make(folder, external, module_file):
    """Replaces `folder` by one that holds a module for each dependency."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    modules = dependencies(module_file)
    for repository in modules:
        make_module(repository, modules, external, folder)
    for module in set(EMPTY) - set(modules.values()):
        (folder / module).mkdir()
        (folder / module / "MODULE.bazel").write_text("module(name = %r)\n" % module)
        (folder / module / "BUILD.bazel").touch()


def print_flags(folder, module_file, imported=None):
    """Prints the flags that override each dependency by its module in `folder`."""
    modules = {*EMPTY, *dependencies(module_file).values()}
    if imported:
        modules.remove("tokenusage")
        modules.update(dependencies(imported, development=False).values())
    for module in sorted(modules):
        print("--override_module=%s=%s" % (module, folder / module))


if __name__ == "__main__":
    {"make": make, "flags": print_flags}[sys.argv[1]](*map(pathlib.Path, sys.argv[2:]))
