// SPDX-License-Identifier: Apache-2.0

// Keys and certificates that a test makes for itself.
//
//   Key key;
//   std::string pem = CertificateOf(key, "server", key, "server");

#ifndef TOKENUSAGE_TESTS_SUPPORT_CERTIFICATES_H_
#define TOKENUSAGE_TESTS_SUPPORT_CERTIFICATES_H_

#include <string>

#include "openssl/evp.h"

namespace tokenusage::testing {

// A new private key, on P-256 if it is of an elliptic curve.
class Key {
 public:
  explicit Key(int type = EVP_PKEY_EC);
  ~Key() { EVP_PKEY_free(key_); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  EVP_PKEY* get() const { return key_; }

  // Returns the key in PEM, encrypted if there is a passphrase.
  std::string Pem(const char* passphrase = nullptr) const;

 private:
  EVP_PKEY* key_ = nullptr;
};

// Returns the certificate of `key` in PEM, valid from `from` to `to` in seconds
// from now. The names are common names.
std::string CertificateOf(const Key& key, const std::string& name,
                          const Key& issuer, const std::string& issuer_name,
                          long from = -3600, long to = 3600);

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_SUPPORT_CERTIFICATES_H_
