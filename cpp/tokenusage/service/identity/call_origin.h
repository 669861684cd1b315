// SPDX-License-Identifier: Apache-2.0

// The origin of a call, whatever its transport.

#ifndef TOKENUSAGE_SERVICE_IDENTITY_CALL_ORIGIN_H_
#define TOKENUSAGE_SERVICE_IDENTITY_CALL_ORIGIN_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tokenusage {

struct CallOrigin {
  // The connection's other end, as grpc::ServerContext::peer() spells it, such
  // as ipv4:127.0.0.1:54321.
  std::string peer;

  // The values of the call's `authorization` headers. The call owns the text.
  std::vector<std::string_view> authorization;

  // The names of the connection's client certificate, which TLS has verified,
  // as identity files spell them: its URIs, its DNS names, its common name.
  // nullopt if there is no certificate.
  std::optional<std::vector<std::string>> certificate_names;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_IDENTITY_CALL_ORIGIN_H_
