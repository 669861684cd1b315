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
// files that it reads itself, unchecked. Its stable C interface, which is used
// here instead, asks for the certificates at each handshake.

#ifndef TOKENUSAGE_SERVICE_TLS_RELOADING_CREDENTIALS_H_
#define TOKENUSAGE_SERVICE_TLS_RELOADING_CREDENTIALS_H_

#include <memory>
#include <mutex>

#include "grpc/grpc_security.h"
#include "grpcpp/security/server_credentials.h"
#include "openssl/ssl.h"
#include "tokenusage/service/tls/certificate_set.h"

namespace tokenusage {

// Must outlive the server. `server_credentials` are for one port. Thread-safe.
class ReloadingCredentials {
 public:
  // `set` must come from CheckCertificates or LoadCertificateSet. Unless it has
  // a client CA, `clients` must be kNone.
  ReloadingCredentials(CertificateSet set, ClientCertificate clients);

  ReloadingCredentials(const ReloadingCredentials&) = delete;
  ReloadingCredentials& operator=(const ReloadingCredentials&) = delete;

  // Replaces the set. Later handshakes use the new one; open connections stay
  // open.
  void Use(CertificateSet set);

  std::shared_ptr<grpc::ServerCredentials> server_credentials() const {
    return server_credentials_;
  }

  // Returns the context for the next handshake of a server without gRPC.
  std::shared_ptr<SSL_CTX> tls_context() const;

 private:
  // Implements grpc_ssl_server_certificate_config_callback for the
  // `credentials`. Called at each handshake, by one thread at a time.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* credentials, grpc_ssl_server_certificate_config** config);

  const ClientCertificate clients_;
  const std::shared_ptr<grpc::ServerCredentials> server_credentials_;
  mutable std::mutex mutex_;
  CertificateSet set_;  // guarded by mutex_, as are those below
  std::shared_ptr<SSL_CTX> tls_context_;
  bool is_new_ = true;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_TLS_RELOADING_CREDENTIALS_H_
