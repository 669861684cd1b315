# SPDX-License-Identifier: Apache-2.0
"""Tests in Python, and the messages they use.

No py_test: its rules differ between the Bazel versions that this project supports.
"""

def python_messages(name, sources, protos):
    """Generates Python modules with protoc, into NAME.zip, from which Python imports them.

    Args:
      name: the target's name.
      sources: the .proto files, all in proto/.
      protos: the proto_library targets, with all that they import.
    """
    native.genrule(
        name = name,
        testonly = True,
        srcs = sources + protos,
        outs = [name + ".zip"],
        # The output of a proto_library is its descriptors. Python wants the folders in the
        # archive, too, which protoc's own archives lack.
        cmd = "; ".join([
            "set -e",
            "sources=' %s'" % " ".join(["$(locations %s)" % source for source in sources]),
            "protos='%s'" % " ".join(["$(location %s)" % proto for proto in protos]),
            "work=$$(mktemp -d)",
            "$(location @com_google_protobuf//:protoc) --descriptor_set_in=$${protos// /:} " +
            "--python_out=$$work $${sources// proto\\// }",
            "find $$work -exec touch -d 2000-01-01 {} +",
            "/usr/bin/python3 -m zipfile -c $@ $$work/tokenusage",
            "rm -r $$work",
        ]),
        tools = ["@com_google_protobuf//:protoc"],
    )

# The real program, as harness/program.py finds it.
THE_PROGRAM = {"TOKENUSAGE_PROGRAM": "//:tokenusage"}

def python_test(name, src, data = [], programs = THE_PROGRAM, **kwargs):
    """Runs a unittest file with the system's Python.

    The file can import what lies beside it, the harness and the messages.

    Args:
      name: the test's name.
      src: the file.
      data: more files that the test reads.
      programs: what the test runs: environment variables, in which it finds the paths
        of the programs, and their targets.
      **kwargs: passed on to sh_test.
    """
    native.sh_test(
        name = name,
        srcs = ["//tests/e2e:run_python_test.sh"],
        args = ["$(rootpath %s)" % src] + [
            "%s=$(rootpath %s)" % (variable, target)
            for variable, target in programs.items()
        ],
        data = data + programs.values() + [
            src,
            "//tests/e2e:harness",
            "//tests/e2e:messages",
        ],
        **kwargs
    )
