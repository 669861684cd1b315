# SPDX-License-Identifier: Apache-2.0
"""fuzz_test: builds a fuzz target for libFuzzer and as an ordinary test."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

def fuzz_test(name, srcs, deps, corpus, dictionary = None, data = []):
    """Makes two targets of sources that define the functions of fuzz_target.h.

    NAME is the libFuzzer binary, which tools/fuzz builds and runs. NAME_test runs the
    same code on the seeds, the corpus and random changes of both, without libFuzzer.

    Args:
      name: a name such as read_fuzzer.
      srcs: the sources of the target.
      deps: the dependencies besides tests/support/fuzzing:fuzz_target.
      corpus: the folder of this package that keeps inputs: those that once showed a
        bug, and some with high coverage.
      dictionary: a file of tokens in libFuzzer's format.
      data: the files that the seeds are made of.
    """
    files = native.glob([corpus + "/**"]) + data
    arguments = [native.package_name() + "/" + corpus]
    if dictionary:
        files = files + [dictionary]
        arguments.append("--dictionary=%s/%s" % (native.package_name(), dictionary))
    cc_library(
        name = "_" + name,
        testonly = True,
        srcs = srcs,
        deps = deps + ["//tests/support/fuzzing:fuzz_target"],
        alwayslink = True,
    )
    cc_binary(
        name = name,
        testonly = True,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = [":_" + name],
    )
    cc_test(
        name = name + "_test",
        size = "small",
        args = arguments,
        data = files,
        deps = [
            ":_" + name,
            "//tests/support/fuzzing:replay_main",
        ],
    )
