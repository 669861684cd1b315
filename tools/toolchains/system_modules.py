"""Makes Bazel modules of the repositories that wrap the system's libraries.

system_modules.py MODULE.bazel EXTERNAL FOLDER: for each bazel_dep of MODULE.bazel,
FOLDER gets a module of that name with the content of the repository in EXTERNAL, which
Bazel made in WORKSPACE mode by bazel/system_dependencies.bzl. Prints the flags by which
Bazel takes them, so that MODULE.bazel is built as it stands, without a network. Fails
where MODULE.bazel names something that system_dependencies.bzl does not have.
"""

import pathlib
import re
import shutil
import sys

# Debian's Bazel brings these modules, and its bazelrc the flags for them.
BAZELRC = pathlib.Path("/etc/bazel/bazelrc")
# Bazel's own module names these; nothing of them is used.
EMPTY = ("apple_support", "buildozer", "zlib")


def dependencies(module_file):
    """Maps the repository names of MODULE.bazel, which is valid Python, to modules."""
    found = {}

    def bazel_dep(name, version, repo_name=None, dev_dependency=False):
        found[repo_name or name] = name

    code = compile(module_file.read_text(), str(module_file), "exec")
    exec(code, {"bazel_dep": bazel_dep, "module": lambda **_: None})
    return found


def mentioned(folder, names):
    """Those of the repository names that the files of a repository mention."""
    text = "".join(
        path.read_text()
        for path in folder.rglob("*")
        if path.suffix in (".bazel", ".bzl")
    )
    return sorted(names & set(re.findall(r"@(\w+)//", text)))


def make_module(repository, names, external, folder):
    """Copies a repository, and says in a MODULE.bazel what it needs."""
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


def main():
    module_file, external, folder = map(pathlib.Path, sys.argv[1:])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    debians = re.findall(r"--override_module=(\w+)=", BAZELRC.read_text())
    names = {
        repository: module
        for repository, module in dependencies(module_file).items()
        if module not in debians
    }
    for repository in names:
        make_module(repository, names, external, folder)
    for module in EMPTY:
        (folder / module).mkdir()
        (folder / module / "MODULE.bazel").write_text("module(name = %r)\n" % module)
        (folder / module / "BUILD.bazel").touch()
    for module in sorted([*names.values(), *EMPTY]):
        print("--override_module=%s=%s" % (module, folder / module))


if __name__ == "__main__":
    main()
