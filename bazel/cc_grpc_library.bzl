"""cc_grpc_library for a protoc and a grpc_cpp_plugin that are installed programs.

It has the attributes of gRPC's own rule that this project uses, and stands behind
@com_github_grpc_grpc//bazel:cc_grpc_library.bzl when gRPC comes from the system.
"""

# Resolved here, not in the package that calls the macro.
_GRPCPP = str(Label("@com_github_grpc_grpc//:grpc++"))

def _import_path(source, proto_source_root, roots):
    """The name by which other .proto files import this source."""
    path = source.path
    for prefix in [proto_source_root + "/"] + [root + "/" for root in roots]:
        if prefix not in ["/", "./"] and path.startswith(prefix):
            return path[len(prefix):]
    return path

def _grpc_codegen_impl(ctx):
    info = ctx.attr.proto[ProtoInfo]
    folder = "_grpc/" + ctx.label.name
    suffixes = [".grpc.pb.h", ".grpc.pb.cc"]
    if ctx.attr.generate_mocks:
        suffixes.append("_mock.grpc.pb.h")

    imports = [
        _import_path(source, info.proto_source_root, [ctx.bin_dir.path, ctx.genfiles_dir.path])
        for source in info.direct_sources
    ]
    outputs = [
        ctx.actions.declare_file(folder + "/" + name[:-len(".proto")] + suffix)
        for name in imports
        for suffix in suffixes
    ]
    out_dir = "/".join([part for part in [
        ctx.bin_dir.path,
        ctx.label.workspace_root,
        ctx.label.package,
        folder,
    ] if part])

    args = ctx.actions.args()
    args.add(ctx.executable._plugin, format = "--plugin=protoc-gen-grpc=%s")
    args.add("--grpc_out=" + ("generate_mock_code=true:" if ctx.attr.generate_mocks else "") + out_dir)
    args.add_all(info.transitive_proto_path, format_each = "-I%s", uniquify = True)
    args.add_all(imports)
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = info.transitive_sources,
        tools = [ctx.executable._plugin],
        outputs = outputs,
        mnemonic = "GrpcCpp",
        progress_message = "Generating gRPC C++ for %s" % ctx.label,
    )
    return [DefaultInfo(files = depset(outputs))]

_grpc_codegen = rule(
    implementation = _grpc_codegen_impl,
    attrs = {
        "proto": attr.label(mandatory = True, providers = [ProtoInfo]),
        "generate_mocks": attr.bool(),
        "_protoc": attr.label(
            default = "@com_google_protobuf//:protoc",
            executable = True,
            cfg = "exec",
            allow_single_file = True,
        ),
        "_plugin": attr.label(
            default = "@com_github_grpc_grpc//:grpc_cpp_plugin",
            executable = True,
            cfg = "exec",
            allow_single_file = True,
        ),
    },
    output_to_genfiles = False,
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
