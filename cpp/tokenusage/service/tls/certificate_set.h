// SPDX-License-Identifier: Apache-2.0

// A server's private key, its certificates and the CA of its clients, checked
// before they are used.
//
//   auto set = LoadCertificateSet(paths, absl::Now());
//   if (!set.ok()) return set.status();

#ifndef TOKENUSAGE_SERVICE_TLS_CERTIFICATE_SET_H_
#define TOKENUSAGE_SERVICE_TLS_CERTIFICATE_SET_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "openssl/ssl.h"
#include "openssl/x509.h"

namespace tokenusage {

// Says whether clients must send a certificate. One that they send must be
// signed by the set's client CA; without a client CA, use kNone.
enum class ClientCertificate { kNone, kOptional, kRequired };

// The files of a set, all in PEM.
struct CertificatePaths {
  std::string certificate;  // the server's, then its issuers'
  std::string key;          // the server's private key, without a passphrase
  std::string client_ca;    // the CA of client certificates, or empty
};

// PEM texts that belong together.
struct CertificateSet {
  std::string certificate;
  std::string key;
  std::string client_ca;  // empty: no client certificates
  absl::Time expires;     // when the server's certificate does
};

// Checks that three PEM texts belong together.
//
// Errors: INVALID_ARGUMENT, which names the offending text and never repeats
// it: text that is not PEM, a key that has a passphrase or is not the
// certificate's, a certificate that did not issue the one before it,
// certificates that the TLS library rejects (for short keys, for example), a
// server certificate that is not valid at `now`, or a client CA without a
// valid certificate.
absl::StatusOr<CertificateSet> CheckCertificates(std::string certificate,
                                                 std::string key,
                                                 std::string client_ca,
                                                 absl::Time now);

// Reads the files and checks them.
//
// Errors, which name the files: as above, also for an empty client CA file, and
// those of ReadFile.
absl::StatusOr<CertificateSet> LoadCertificateSet(const CertificatePaths& paths,
                                                  absl::Time now);

// Returns a context for the handshakes of a server that speaks HTTP/1.1, with
// TLS 1.2 or newer. `set` must come from one of the functions above.
std::shared_ptr<SSL_CTX> NewTlsContext(const CertificateSet& set,
                                       ClientCertificate clients);

// Returns the names of a client's certificate, as identity files spell them:
// its URIs, its DNS names, its common name.
std::vector<std::string> CertificateNames(const X509& certificate);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_TLS_CERTIFICATE_SET_H_
