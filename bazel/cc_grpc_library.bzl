# SPDX-License-Identifier: Apache-2.0
"""cc_grpc_library with the installed protoc and grpc_cpp_plugin.

If gRPC comes from the system, @com_github_grpc_grpc//bazel:cc_grpc_library.bzl is this
file. It has the attributes of gRPC's rule that this project uses.
"""

load(":protoc_codegen.bzl", "PROTOC_CODEGEN_ATTRS", "protoc_codegen")

# Resolved in this package, not in the one that calls the macro.
_GRPCPP = str(Label("@com_github_grpc_grpc//:grpc++"))

def _grpc_codegen_impl(ctx):
    suffixes = [".grpc.pb.h", ".grpc.pb.cc"]
    if ctx.attr.generate_mocks:
        suffixes.append("_mock.grpc.pb.h")
    return protoc_codegen(
        ctx,
        folder = "_grpc",
        suffixes = suffixes,
        plugin = "grpc",
        options = "generate_mock_code=true" if ctx.attr.generate_mocks else "",
        mnemonic = "GrpcCpp",
    )

_grpc_codegen = rule(
    implementation = _grpc_codegen_impl,
    attrs = dict(
        PROTOC_CODEGEN_ATTRS,
        generate_mocks = attr.bool(),
        _plugin = attr.label(
            default = "@com_github_grpc_grpc//:grpc_cpp_plugin",
            executable = True,
            cfg = "exec",
            allow_single_file = True,
        ),
    ),
)

def cc_grpc_library(name, srcs, deps = [], grpc_only = False, generate_mocks = False, **kwargs):
    """Generates the gRPC stubs of one proto_library.

    Args:
      name: the cc_library's name.
      srcs: exactly one proto_library.
      deps: the cc_proto_library of that proto_library.
      grpc_only: must be True: the messages come from cc_proto_library.
      generate_mocks: also generates gMock stubs.
      **kwargs: passed on to cc_library.
    """
    if not grpc_only:
        fail("cc_grpc_library: only grpc_only = True is supported with system packages")
    if len(srcs) != 1:
        fail("cc_grpc_library: srcs must hold exactly one proto_library, found %d" % len(srcs))
    codegen = "_" + name + "_codegen"
    _grpc_codegen(
        name = codegen,
        proto = srcs[0],
        generate_mocks = generate_mocks,
        tags = ["manual"],
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name,
        srcs = [":" + codegen],
        hdrs = [":" + codegen],
        includes = ["_grpc/" + codegen],
        deps = deps + [_GRPCPP],
        **kwargs
    )
