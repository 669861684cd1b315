// SPDX-License-Identifier: Apache-2.0

// A server's private key, its certificates, and whose clients it trusts: looked
// at before they are served.
//
//   auto set = LoadCertificateSet(paths, absl::Now());
//   if (!set.ok()) return set.status();

#ifndef TOKENUSAGE_SERVICE_TLS_CERTIFICATE_SET_H_
#define TOKENUSAGE_SERVICE_TLS_CERTIFICATE_SET_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tokenusage {

// The files of a set, all in PEM.
struct CertificatePaths {
  std::string certificate;  // the server's, then those that lead to its root
  std::string key;          // the server's private key, without a passphrase
  std::string client_ca;    // whose client certificates are trusted, or empty
};

// PEM texts that belong together.
struct CertificateSet {
  std::string certificate;
  std::string key;
  std::string client_ca;  // empty: no client certificates
  absl::Time expires;     // when the server's certificate does
};

// Errors: INVALID_ARGUMENT, saying which of the three is at fault, and never
// what it holds: something that is not PEM, a key that is not the
// certificate's, certificates that do not lead from one to the next or that TLS
// does not take, as those of short keys, a server certificate that is not valid
// at `now`, no trusted certificate that is.
absl::StatusOr<CertificateSet> CheckCertificates(std::string certificate,
                                                 std::string key,
                                                 std::string client_ca,
                                                 absl::Time now);

// Reads the files and checks them.
//
// Errors, naming the paths: as above, and NOT_FOUND, PERMISSION_DENIED,
// UNAVAILABLE where a file cannot be read.
absl::StatusOr<CertificateSet> LoadCertificateSet(const CertificatePaths& paths,
                                                  absl::Time now);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_TLS_CERTIFICATE_SET_H_
