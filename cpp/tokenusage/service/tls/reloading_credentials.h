// SPDX-License-Identifier: Apache-2.0

// gRPC server credentials whose certificates may change while the server runs.
//
//   auto credentials = std::make_shared<ReloadingCredentials>(
//       set, ClientCertificate::kRequired);
//   builder.AddListeningPort(address, credentials->server_credentials());
//   ...
//   credentials->Use(next_set);
//
// gRPC's C++ interface can do that only in grpc::experimental, with files that
// it reads by itself, checked or not. Its C interface, which is stable, asks
// for the certificates at each handshake: this is the one file that calls it.

#ifndef TOKENUSAGE_SERVICE_TLS_RELOADING_CREDENTIALS_H_
#define TOKENUSAGE_SERVICE_TLS_RELOADING_CREDENTIALS_H_

#include <memory>

#include "grpcpp/security/server_credentials.h"
#include "tokenusage/service/tls/certificate_set.h"

namespace tokenusage {

// What clients have to show. Whatever they show must be signed by the set's
// client CA. Without one, kNone.
enum class ClientCertificate { kNone, kOptional, kRequired };

// For one port of one server, and to outlive that server. Thread-safe.
class ReloadingCredentials {
 public:
  // `set` must be one that CheckCertificates gave.
  ReloadingCredentials(CertificateSet set, ClientCertificate clients);
  ~ReloadingCredentials();

  ReloadingCredentials(const ReloadingCredentials&) = delete;
  ReloadingCredentials& operator=(const ReloadingCredentials&) = delete;

  // Handshakes from now on use this set; connections that are open stay open.
  void Use(CertificateSet set);

  std::shared_ptr<grpc::ServerCredentials> server_credentials() const;

 private:
  class Source;

  std::unique_ptr<Source> source_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_TLS_RELOADING_CREDENTIALS_H_
