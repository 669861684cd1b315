// SPDX-License-Identifier: Apache-2.0

// Connects to the service, for everything that calls it.
//
//   GrpcTransportOptions options;
//   options.tls = true;
//   auto channel = NewChannel("usage.example.com:8105", options);

#ifndef TOKENUSAGE_CLIENT_CHANNEL_H_
#define TOKENUSAGE_CLIENT_CHANNEL_H_

#include <memory>
#include <string>

#include "grpcpp/channel.h"
#include "tokenusage/client/grpc_transport.h"

namespace tokenusage {

// Creates a channel, which does not connect yet. Uses the TLS options only.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& server,
                                          const GrpcTransportOptions& options);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_CHANNEL_H_
