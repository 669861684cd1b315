# SPDX-License-Identifier: Apache-2.0
"""What consumers load: load("@tokenusage//bazel:defs.bzl", "cc_json_proto_library")."""

load(":cc_json_proto_library.bzl", _cc_json_proto_library = "cc_json_proto_library")

cc_json_proto_library = _cc_json_proto_library
