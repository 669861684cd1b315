# SPDX-License-Identifier: Apache-2.0
"""Runs a protoc plugin over the .proto files of one proto_library."""

# Bazel 8 has no global ProtoInfo.
load("@com_google_protobuf//bazel/common:proto_info.bzl", "ProtoInfo")

def _import_path(source, proto_source_root, roots):
    """Returns the path by which other .proto files import this source."""
    path = source.path
    for prefix in [proto_source_root + "/"] + [root + "/" for root in roots]:
        if prefix not in ["/", "./"] and path.startswith(prefix):
            return path[len(prefix):]
    return path

# The attributes of every rule that calls protoc_codegen; it adds its own `_plugin`.
PROTOC_CODEGEN_ATTRS = {
    "proto": attr.label(mandatory = True, providers = [ProtoInfo]),
    "_protoc": attr.label(
        default = "@com_google_protobuf//:protoc",
        executable = True,
        cfg = "exec",
        allow_single_file = True,
    ),
}

def protoc_codegen(ctx, folder, suffixes, plugin, options = "", mnemonic = "Protoc"):
    """Generates FILE + suffix for each FILE.proto and each of the suffixes.

    Args:
      ctx: the context of a rule with PROTOC_CODEGEN_ATTRS and an executable `_plugin`.
      folder: the folder of the package that the files go to, a separate include folder.
      suffixes: the suffixes of the generated files, such as ".grpc.pb.h".
      plugin: the name of the plugin in protoc's flag --NAME_out.
      options: the options for the plugin.
      mnemonic: the mnemonic of the action.

    Returns:
      A DefaultInfo with the generated files.
    """
    info = ctx.attr.proto[ProtoInfo]
    folder = folder + "/" + ctx.label.name
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
    args.add(ctx.executable._plugin, format = "--plugin=protoc-gen-" + plugin + "=%s")
    args.add("--%s_out=%s" % (plugin, (options + ":" if options else "") + out_dir))
    args.add_all(info.transitive_proto_path, format_each = "-I%s", uniquify = True)
    args.add_all(imports)
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = info.transitive_sources,
        tools = [ctx.executable._plugin],
        outputs = outputs,
        mnemonic = mnemonic,
        progress_message = "Generating %s files for %s" % (plugin, ctx.label),
    )
    return [DefaultInfo(files = depset(outputs))]
