// SPDX-License-Identifier: Apache-2.0

// gRPC server credentials whose certificates may change while the server runs.
//
//   auto credentials = std::make_shared<ReloadingCredentials>(
//       set, ClientCertificate::kRequired);
//   builder.AddListeningPort(address, credentials->server_credentials());
//   ...
//   credentials->Use(next_set);
//
// gRPC's C++ interface reloads certificates only in grpc::experimental, from
// files that it reads itself, unchecked. Its stable C interface asks for the
// certificates at each handshake: this is the only file that calls it.

#ifndef TOKENUSAGE_SERVICE_TLS_RELOADING_CREDENTIALS_H_
#define TOKENUSAGE_SERVICE_TLS_RELOADING_CREDENTIALS_H_

#include <memory>

#include "grpcpp/security/server_credentials.h"
#include "tokenusage/service/tls/certificate_set.h"

namespace tokenusage {

// Whether clients must send a certificate. One that they send must be signed by
// the set's client CA; without a client CA, use kNone.
enum class ClientCertificate { kNone, kOptional, kRequired };

// For one port of one server, which it must outlive. Thread-safe.
class ReloadingCredentials {
 public:
  // `set` must come from CheckCertificates.
  ReloadingCredentials(CertificateSet set, ClientCertificate clients);
  ~ReloadingCredentials();

  ReloadingCredentials(const ReloadingCredentials&) = delete;
  ReloadingCredentials& operator=(const ReloadingCredentials&) = delete;

  // Later handshakes use this set; open connections stay open.
  void Use(CertificateSet set);

  std::shared_ptr<grpc::ServerCredentials> server_credentials() const;

 private:
  class Source;

  std::unique_ptr<Source> source_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_TLS_RELOADING_CREDENTIALS_H_
