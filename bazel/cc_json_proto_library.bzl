# SPDX-License-Identifier: Apache-2.0
"""cc_json_proto_library: makes the JSON mapping of messages fast."""

load("@rules_cc//cc:defs.bzl", "cc_library")
load(":protoc_codegen.bzl", "PROTOC_CODEGEN_ATTRS", "protoc_codegen")

# Resolved in this package, not in the one that calls the macro.
_RUNTIME = [
    str(Label("//:json")),
    str(Label("//cpp/tokenusage/json/internal")),
]

def _json_codegen_impl(ctx):
    return protoc_codegen(
        ctx,
        folder = "_json",
        suffixes = [".json.pb.h", ".json.pb.cc"],
        plugin = "tokenusage-json",
        mnemonic = "JsonCode",
    )

_json_codegen = rule(
    implementation = _json_codegen_impl,
    attrs = dict(
        PROTOC_CODEGEN_ATTRS,
        _plugin = attr.label(
            default = "//cpp/tokenusage/json/plugin:protoc-gen-tokenusage-json",
            executable = True,
            cfg = "exec",
        ),
    ),
)

def cc_json_proto_library(name, srcs, deps, **kwargs):
    """Makes tokenusage/json/json.h fast for the messages of one proto_library.

    Code that depends on it calls ParseJson, AppendJson and the other functions as
    for any message. The build fails, with an error that names the field, if a message
    cannot be mapped exactly (docs/json.md).

    Args:
      name: the cc_library's name.
      srcs: exactly one proto_library.
      deps: the cc_proto_library of that proto_library, and a
        cc_json_proto_library for every other proto_library whose messages are
        fields of these; google.protobuf.Timestamp needs none.
      **kwargs: passed on to cc_library.
    """
    if len(srcs) != 1:
        fail("cc_json_proto_library: srcs must hold exactly one proto_library, found %d" % len(srcs))
    codegen = "_" + name + "_codegen"
    testonly = kwargs.get("testonly", False)
    _json_codegen(
        name = codegen,
        proto = srcs[0],
        tags = ["manual"],
        testonly = testonly,
        visibility = ["//visibility:private"],
    )
    cc_library(
        name = name,
        srcs = [":" + codegen],
        hdrs = [":" + codegen],
        includes = ["_json/" + codegen],
        deps = deps + _RUNTIME,
        # Nothing refers to the code: it registers itself.
        alwayslink = True,
        **kwargs
    )
