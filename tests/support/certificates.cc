// SPDX-License-Identifier: Apache-2.0

#include "tests/support/certificates.h"

#include "gtest/gtest.h"
#include "openssl/bio.h"
#include "openssl/ec.h"
#include "openssl/obj_mac.h"
#include "openssl/pem.h"
#include "openssl/x509.h"

namespace tokenusage::testing {
namespace {

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

void SetName(X509_NAME* name, const std::string& text) {
  X509_NAME_add_entry_by_txt(
      name, "CN", MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
}

}  // namespace

Key::Key(int type) {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_id(type, nullptr);
  EXPECT_EQ(EVP_PKEY_keygen_init(context), 1);
  if (type == EVP_PKEY_EC) {
    EXPECT_EQ(
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1),
        1);
  }
  EXPECT_EQ(EVP_PKEY_keygen(context, &key_), 1);
  EVP_PKEY_CTX_free(context);
}

std::string Key::Pem(const char* passphrase) const {
  BIO* bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(
                bio, key_, passphrase == nullptr ? nullptr : EVP_aes_128_cbc(),
                nullptr, 0, nullptr, const_cast<char*>(passphrase)),
            1);
  return TextOf(bio);
}

std::string CertificateOf(const Key& key, const std::string& name,
                          const Key& issuer, const std::string& issuer_name,
                          long from, long to) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), to);
  SetName(X509_get_subject_name(certificate), name);
  SetName(X509_get_issuer_name(certificate), issuer_name);
  X509_set_pubkey(certificate, key.get());
  EXPECT_GT(X509_sign(certificate, issuer.get(), EVP_sha256()), 0);
  BIO* bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(PEM_write_bio_X509(bio, certificate), 1);
  X509_free(certificate);
  return TextOf(bio);
}

}  // namespace tokenusage::testing
