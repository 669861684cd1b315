# SPDX-License-Identifier: Apache-2.0
"""The rules for consumers: load("@tokenusage//bazel:defs.bzl", "cc_json_proto_library")."""

load(":cc_json_proto_library.bzl", _cc_json_proto_library = "cc_json_proto_library")

cc_json_proto_library = _cc_json_proto_library
