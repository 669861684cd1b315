# SPDX-License-Identifier: Apache-2.0
"""Turns the C++ blocks of documents into the sources of one program."""

def _cpp_snippets_impl(ctx):
    folder = ctx.actions.declare_directory(ctx.label.name)
    documents = [file for file in ctx.files.documents if file.extension == "md"]
    ctx.actions.run(
        # Not a py_binary: its rules differ between the supported Bazel versions.
        executable = "/usr/bin/python3",
        arguments = [ctx.file._tool.path, folder.path] +
                    [document.path for document in documents],
        inputs = documents + [ctx.file._tool] + ctx.files._modules,
        outputs = [folder],
        mnemonic = "CppSnippets",
    )
    return [DefaultInfo(files = depset([folder]))]

cpp_snippets = rule(
    doc = "Makes a folder with a source file for each block, and a main.cc.",
    implementation = _cpp_snippets_impl,
    attrs = {
        "documents": attr.label_list(allow_files = [".md"], mandatory = True),
        "_modules": attr.label(default = ":blocks.py", allow_files = True),
        "_tool": attr.label(default = ":cpp_snippets.py", allow_single_file = True),
    },
)
