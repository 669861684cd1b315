"""cc_json_proto_library: messages with the fast JSON mapping."""

# Resolved here, not in the package that calls the macro.
_RUNTIME = [
    str(Label("//:json")),
    str(Label("//cpp/tokenusage/json:exact_shape")),
    str(Label("//cpp/tokenusage/json:message_table")),
]

def _import_path(source, proto_source_root, roots):
    """The name by which other .proto files import this source."""
    path = source.path
    for prefix in [proto_source_root + "/"] + [root + "/" for root in roots]:
        if prefix not in ["/", "./"] and path.startswith(prefix):
            return path[len(prefix):]
    return path

def _json_codegen_impl(ctx):
    info = ctx.attr.proto[ProtoInfo]
    folder = "_json/" + ctx.label.name
    imports = [
        _import_path(source, info.proto_source_root, [ctx.bin_dir.path, ctx.genfiles_dir.path])
        for source in info.direct_sources
    ]
    outputs = [
        ctx.actions.declare_file(folder + "/" + name[:-len(".proto")] + suffix)
        for name in imports
        for suffix in [".json.pb.h", ".json.pb.cc"]
    ]
    out_dir = "/".join([part for part in [
        ctx.bin_dir.path,
        ctx.label.workspace_root,
        ctx.label.package,
        folder,
    ] if part])

    args = ctx.actions.args()
    args.add(ctx.executable._plugin, format = "--plugin=protoc-gen-tokenusage-json=%s")
    args.add("--tokenusage-json_out=" + out_dir)
    args.add_all(info.transitive_proto_path, format_each = "-I%s", uniquify = True)
    args.add_all(imports)
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = info.transitive_sources,
        tools = [ctx.executable._plugin],
        outputs = outputs,
        mnemonic = "JsonTables",
        progress_message = "Generating JSON tables for %s" % ctx.label,
    )
    return [DefaultInfo(files = depset(outputs))]

_json_codegen = rule(
    implementation = _json_codegen_impl,
    attrs = {
        "proto": attr.label(mandatory = True, providers = [ProtoInfo]),
        "_protoc": attr.label(
            default = "@com_google_protobuf//:protoc",
            executable = True,
            cfg = "exec",
            allow_single_file = True,
        ),
        "_plugin": attr.label(
            default = "//cpp/tokenusage/json/plugin:protoc-gen-tokenusage-json",
            executable = True,
            cfg = "exec",
        ),
    },
    output_to_genfiles = False,
)

def cc_json_proto_library(name, srcs, deps, **kwargs):
    """Makes tokenusage/json/json.h fast for the messages of one proto_library.

    Whoever depends on it calls ParseJson, AppendJson and the others as for any
    message. A message without an exact JSON form (docs/json.md) fails the build,
    with an error that names the field.

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
    native.cc_library(
        name = name,
        srcs = [":" + codegen],
        hdrs = [":" + codegen],
        includes = ["_json/" + codegen],
        deps = deps + _RUNTIME,
        # Nothing refers to the tables: they make themselves known.
        alwayslink = True,
        **kwargs
    )
