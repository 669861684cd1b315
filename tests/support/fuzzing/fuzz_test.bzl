# SPDX-License-Identifier: Apache-2.0
"""fuzz_test: one fuzz target as a libFuzzer binary and as an ordinary test."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

def fuzz_test(name, srcs, deps, corpus, dictionary = None, data = []):
    """Makes two targets of sources that define what fuzz_target.h says.

    NAME is the libFuzzer binary; build it with --config=fuzz, or let tools/fuzz
    build and run it. NAME_test runs the same code over the seeds, the corpus and
    random changes of them; it needs no libFuzzer.

    Args:
      name: as in read_fuzzer.
      srcs: the sources of the target.
      deps: what they need; tests/support/fuzzing:fuzz_target is among it already.
      corpus: the folder of this package that keeps inputs: all that once showed
        a fault, and some that reach far.
      dictionary: a file of tokens, in libFuzzer's format.
      data: files that the seeds are made of.
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
