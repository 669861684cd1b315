// SPDX-License-Identifier: Apache-2.0

// Reaches the service over gRPC.
//
//   GrpcTransportOptions options;
//   options.servers = {"usage-1.example.com:8105", "usage-2.example.com:8105"};
//   options.tls = true;
//   options.token_file = "/etc/gateway/usage.token";
//   absl::StatusOr<std::unique_ptr<ReportTransport>> transport =
//       NewGrpcTransport(options);

#ifndef TOKENUSAGE_CLIENT_GRPC_TRANSPORT_H_
#define TOKENUSAGE_CLIENT_GRPC_TRANSPORT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenusage/client/report_transport.h"

namespace tokenusage {

struct GrpcTransportOptions {
  // The servers, each host:port, of one service; at least one. A call goes to
  // the server that answered last, initially the first, and to the next ones if
  // that one is draining, unavailable or too slow.
  std::vector<std::string> servers;

  // Connects with TLS; otherwise in plain text.
  bool tls = false;

  // The contents of PEM files, not their names. An empty tls_ca means the
  // system's CAs.
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;

  // The name in the servers' certificates, if it is not their host.
  std::string tls_server_name;

  // The file with the token to send, or empty. It is read again when it has
  // changed. Needs TLS, unless all servers are loopback addresses.
  std::string token_file;
};

// Creates a transport, which does not connect yet.
//
// Errors: INVALID_ARGUMENT, naming the option, if one is not valid; those of
// ReadFile if the token cannot be read.
absl::StatusOr<std::unique_ptr<ReportTransport>> NewGrpcTransport(
    const GrpcTransportOptions& options);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_GRPC_TRANSPORT_H_
