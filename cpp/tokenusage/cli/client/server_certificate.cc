// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/server_certificate.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <memory>

#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/pem.h"
#include "openssl/ssl.h"
#include "openssl/x509.h"

namespace tokenusage {
namespace {

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using TlsContext = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using TlsConnection = std::unique_ptr<SSL, Freer<SSL_free>>;

constexpr timeval kStepTimeout = {/*tv_sec=*/2, /*tv_usec=*/0};

// Adds the certificates to `store`, which may be null; returns their number.
int AddCertificates(const std::string& pem, X509_STORE* store) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  int count = 0;
  while (const auto certificate = Certificate(
             PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))) {
    if (store != nullptr) X509_STORE_add_cert(store, certificate.get());
    ++count;
  }
  ERR_clear_error();
  return count;
}

// Returns the result of verifying the server's certificate: X509_V_OK also if
// the server cannot be reached.
long VerifyServer(const ConnectionOptions& connection) {
  const TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (connection.transport.tls_ca.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else {
    AddCertificates(connection.transport.tls_ca,
                    SSL_CTX_get_cert_store(context.get()));
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  // Like gRPC: a trusted certificate need not be a root.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.get()),
                              X509_V_FLAG_PARTIAL_CHAIN);
  const Bio socket(BIO_new_connect(connection.server().c_str()));
  long result = X509_V_OK;
  int descriptor = -1;
  if (BIO_do_connect(socket.get()) == 1 &&
      BIO_get_fd(socket.get(), &descriptor) >= 0) {
    for (const int direction : {SO_RCVTIMEO, SO_SNDTIMEO}) {
      setsockopt(descriptor, SOL_SOCKET, direction, &kStepTimeout,
                 sizeof(kStepTimeout));
    }
    const TlsConnection tls(SSL_new(context.get()));
    SSL_set_fd(tls.get(), descriptor);
    SSL_connect(tls.get());
    result = SSL_get_verify_result(tls.get());
  }
  ERR_clear_error();
  return result;
}

}  // namespace

bool HasCertificate(const std::string& pem) {
  return AddCertificates(pem, nullptr) > 0;
}

bool IsRefusedCertificate(const std::string& grpc_error) {
  return grpc_error.find("certificate verify failed") != std::string::npos ||
         grpc_error.find("CERTIFICATE_VERIFY_FAILED") != std::string::npos;
}

std::string DescribeRefusedCertificate(const ConnectionOptions& connection) {
  switch (const long result = VerifyServer(connection)) {
    case X509_V_OK:
      return "its certificate cannot be verified";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid yet";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return connection.transport.tls_ca.empty()
                 ? "its certificate is from a CA that this system does not "
                   "trust; name the CA's file as --tls-ca"
                 : "its certificate is not from a CA in the file of --tls-ca";
    default:
      return std::string("its certificate cannot be verified: ") +
             X509_verify_cert_error_string(result);
  }
}

}  // namespace tokenusage
