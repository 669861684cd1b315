// SPDX-License-Identifier: Apache-2.0

// A server's credentials, whose certificates may change while it runs: for
// gRPC, and for servers that use the TLS library themselves.
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
#include "openssl/ssl.h"
#include "tokenusage/service/tls/certificate_set.h"

namespace tokenusage {

// Must outlive the server. `server_credentials` are for one port. Thread-safe.
class ReloadingCredentials {
 public:
  // `set` must come from CheckCertificates.
  ReloadingCredentials(CertificateSet set, ClientCertificate clients);
  ~ReloadingCredentials();

  ReloadingCredentials(const ReloadingCredentials&) = delete;
  ReloadingCredentials& operator=(const ReloadingCredentials&) = delete;

  // Replaces the set. Later handshakes use the new one; open connections stay
  // open.
  void Use(CertificateSet set);

  std::shared_ptr<grpc::ServerCredentials> server_credentials() const;

  // Returns the context for the next handshake of a server without gRPC.
  std::shared_ptr<SSL_CTX> tls_context() const;

 private:
  class Source;

  std::unique_ptr<Source> source_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_TLS_RELOADING_CREDENTIALS_H_
