// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/tls/reloading_credentials.h"

#include <string>
#include <utility>

#include "grpc/grpc.h"
#include "grpcpp/version_info.h"

namespace tokenusage {
namespace {

grpc_ssl_client_certificate_request_type RequestOf(ClientCertificate clients) {
  switch (clients) {
    case ClientCertificate::kOptional:
      return GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
    case ClientCertificate::kRequired:
      return GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
    case ClientCertificate::kNone:
      break;
  }
  return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
}

#if GRPC_CPP_VERSION_MAJOR == 1 && GRPC_CPP_VERSION_MINOR < 54

// Wraps the C interface's credentials.
class WrappedCredentials final : public grpc::ServerCredentials {
 public:
  explicit WrappedCredentials(grpc_server_credentials* wrapped)
      : wrapped_(wrapped) {}
  ~WrappedCredentials() override { grpc_server_credentials_release(wrapped_); }

  // Unused: callers are identified per call, not per connection.
  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address,
                      grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), wrapped_);
  }

  grpc_server_credentials* const wrapped_;
};

#else

class WrappedCredentials final : public grpc::ServerCredentials {
 public:
  explicit WrappedCredentials(grpc_server_credentials* wrapped)
      : grpc::ServerCredentials(wrapped) {}
};

#endif

}  // namespace

ReloadingCredentials::ReloadingCredentials(CertificateSet set,
                                           ClientCertificate clients)
    : clients_(clients),
      server_credentials_(std::make_shared<WrappedCredentials>(
          grpc_ssl_server_credentials_create_with_options(
              grpc_ssl_server_credentials_create_options_using_config_fetcher(
                  RequestOf(clients), &Fetch, this)))) {
  Use(std::move(set));
}

void ReloadingCredentials::Use(CertificateSet set) {
  std::shared_ptr<SSL_CTX> tls_context = NewTlsContext(set, clients_);
  const std::lock_guard<std::mutex> lock(mutex_);
  set_ = std::move(set);
  tls_context_ = std::move(tls_context);
  is_new_ = true;
}

std::shared_ptr<SSL_CTX> ReloadingCredentials::tls_context() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return tls_context_;
}

grpc_ssl_certificate_config_reload_status ReloadingCredentials::Fetch(
    void* credentials, grpc_ssl_server_certificate_config** config) {
  auto& self = *static_cast<ReloadingCredentials*>(credentials);
  const std::lock_guard<std::mutex> lock(self.mutex_);
  if (!self.is_new_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const CertificateSet& set = self.set_;
  const grpc_ssl_pem_key_cert_pair pair = {set.key.c_str(),
                                           set.certificate.c_str()};
  // gRPC aborts without a CA. Without client_ca no client is asked for a
  // certificate, so any CA will do.
  const std::string& client_ca =
      set.client_ca.empty() ? set.certificate : set.client_ca;
  *config =
      grpc_ssl_server_certificate_config_create(client_ca.c_str(), &pair, 1);
  self.is_new_ = false;
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

}  // namespace tokenusage
