# SPDX-License-Identifier: Apache-2.0
"""The providers whose usage messages this project has."""

load("@com_google_protobuf//bazel:cc_proto_library.bzl", "cc_proto_library")
load("@com_google_protobuf//bazel:proto_library.bzl", "proto_library")
load(":cc_json_proto_library.bzl", "cc_json_proto_library")

# The version of each provider's API: its messages are in proto/tokenusage/PROVIDER/VERSION.
PROVIDERS = {
    "anthropic": "v1",
    "bedrock": "v1",
    "cohere": "v2",
    "deepseek": "v1",
    "google": "v1",
    "groq": "v1",
    "mistral": "v1",
    "ollama": "v1",
    "openai": "v1",
    "openai_compatible": "v1",
    "openrouter": "v1",
    "orq": "v2",
    "perplexity": "v1",
    "sglang": "v1",
    "xai": "v1",
}

def _package(provider):
    return "//proto/tokenusage/%s/%s" % (provider, PROVIDERS[provider])

def _target(provider, kind):
    return "%s:%s_%s" % (_package(provider), provider, kind)

def provider_proto(name):
    """Declares PROVIDER_proto, PROVIDER_cc_proto and `sources` of the package's .proto files.

    Args:
      name: the provider, a key of PROVIDERS.
    """
    native.filegroup(
        name = "sources",
        srcs = native.glob(["*.proto"]),
    )
    proto_library(
        name = name + "_proto",
        srcs = native.glob(["*.proto"]),
        strip_import_prefix = "/proto",
        deps = ["//proto/tokenusage/v1:options_proto"],
    )
    cc_proto_library(
        name = name + "_cc_proto",
        deps = [":%s_proto" % name],
    )

def provider_json(name):
    """Declares PROVIDER_json, the JSON mapping of the provider's messages.

    Args:
      name: the provider, a key of PROVIDERS.
    """
    cc_json_proto_library(
        name = name + "_json",
        srcs = [_target(name, "proto")],
        deps = [_target(name, "cc_proto")],
    )

def provider_targets(kind):
    """Returns the labels of PROVIDER_proto or PROVIDER_cc_proto of all providers.

    Args:
      kind: "proto" or "cc_proto".
    """
    return [_target(provider, kind) for provider in PROVIDERS]

def provider_sources():
    """Returns the labels of the .proto files of all providers."""
    return [_package(provider) + ":sources" for provider in PROVIDERS]
