# SPDX-License-Identifier: Apache-2.0
"""Tests in Python, and the messages they use.

No py_test: its rules differ between the Bazel versions that this project supports.
"""

def python_messages(name, protos, outs, folder):
    """Generates Python modules with protoc.

    Args:
      name: the target's name.
      protos: the proto_library targets, with all that they import.
      outs: the modules, as folder/package/file_pb2.py.
      folder: the folder under which the modules are importable.
    """
    sources = [
        out[len(folder) + 1:].replace("_pb2.py", ".proto")
        for out in outs
    ]
    native.genrule(
        name = name,
        testonly = True,
        srcs = protos,
        outs = outs,
        # The output of a proto_library is its descriptors.
        cmd = " ".join([
            "$(location @com_google_protobuf//:protoc)",
            "--descriptor_set_in=$$(echo $(SRCS) | tr ' ' ':')",
            "--python_out=$(RULEDIR)/" + folder,
        ] + sources),
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
