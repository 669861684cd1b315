// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/tls/certificate_set.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "openssl/bio.h"
#include "openssl/ec.h"
#include "openssl/evp.h"
#include "openssl/obj_mac.h"
#include "openssl/pem.h"
#include "openssl/x509.h"
#include "tests/support/status_matchers.h"

namespace tokenusage {
namespace {

using testing::IsOk;
using ::testing::Not;

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

// A new key, on P-256 where it is of an elliptic curve.
class Key {
 public:
  explicit Key(int type = EVP_PKEY_EC) {
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
  ~Key() { EVP_PKEY_free(key_); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  EVP_PKEY* get() const { return key_; }

  std::string Pem(const char* passphrase = nullptr) const {
    BIO* bio = BIO_new(BIO_s_mem());
    EXPECT_EQ(
        PEM_write_bio_PKCS8PrivateKey(
            bio, key_, passphrase == nullptr ? nullptr : EVP_aes_128_cbc(),
            nullptr, 0, nullptr, const_cast<char*>(passphrase)),
        1);
    return TextOf(bio);
  }

 private:
  EVP_PKEY* key_ = nullptr;
};

void SetName(X509_NAME* name, const std::string& text) {
  X509_NAME_add_entry_by_txt(
      name, "CN", MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
}

// A certificate of `key`, valid from `from` to `to` in seconds from now.
std::string CertificateOf(const Key& key, const std::string& name,
                          const Key& issuer, const std::string& issuer_name,
                          long from = -3600, long to = 3600) {
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

class CertificateSetTest : public ::testing::Test {
 protected:
  void ExpectRefused(const std::string& certificate, const std::string& key,
                     const std::string& ca, const std::string& why) {
    const auto set = CheckCertificates(certificate, key, ca, absl::Now());
    ASSERT_THAT(set, Not(IsOk())) << why;
    EXPECT_EQ(set.status().code(), absl::StatusCode::kInvalidArgument);
    const std::string message(set.status().message());
    EXPECT_NE(message.find(why), std::string::npos) << message;
    EXPECT_EQ(message.find("BEGIN"), std::string::npos) << message;
  }

  Key ca_key_, key_;
  const std::string ca_ = CertificateOf(ca_key_, "ca", ca_key_, "ca");
  const std::string certificate_ = CertificateOf(key_, "server", ca_key_, "ca");
};

TEST_F(CertificateSetTest, TakesWhatBelongsTogether) {
  const auto set =
      CheckCertificates(certificate_ + ca_, key_.Pem(), ca_, absl::Now());
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->certificate, certificate_ + ca_);
  EXPECT_EQ(set->key, key_.Pem());
  EXPECT_EQ(set->client_ca, ca_);
  EXPECT_NEAR(absl::ToDoubleSeconds(set->expires - absl::Now()), 3600, 60);
  EXPECT_THAT(CheckCertificates(certificate_, key_.Pem(), "", absl::Now()),
              IsOk());
}

TEST_F(CertificateSetTest, RefusesWhatIsNotPem) {
  ExpectRefused("", key_.Pem(), ca_, "the certificate: ");
  ExpectRefused("junk", key_.Pem(), ca_, "the certificate: ");
  ExpectRefused(key_.Pem(), key_.Pem(), ca_, "the certificate: ");
  std::string damaged = certificate_;
  damaged.replace(damaged.size() / 2, 4, "!!!!");
  ExpectRefused(damaged, key_.Pem(), ca_, "the certificate: ");
  ExpectRefused(certificate_ + damaged, key_.Pem(), ca_, "the certificate: ");
  ExpectRefused(certificate_, "", ca_, "the private key: ");
  ExpectRefused(certificate_, certificate_, ca_, "the private key: ");
  ExpectRefused(certificate_, key_.Pem().substr(0, 60), ca_,
                "the private key: ");
  ExpectRefused(certificate_, key_.Pem("secret"), ca_, "without a passphrase");
  ExpectRefused(certificate_, key_.Pem(), "junk", "the client CA: ");
}

TEST_F(CertificateSetTest, RefusesTheKeyOfAnother) {
  ExpectRefused(certificate_, ca_key_.Pem(), ca_, "not that of");
  // The server's certificate must come first.
  ExpectRefused(ca_ + certificate_, key_.Pem(), ca_, "not that of");
}

TEST_F(CertificateSetTest, RefusesAChainThatIsNone) {
  const Key other;
  ExpectRefused(certificate_ + CertificateOf(other, "other", other, "other"),
                key_.Pem(), ca_, "number 2");
}

// Which keys are too short is up to the library; no TLS signs with X25519.
TEST_F(CertificateSetTest, RefusesWhatTlsDoesNotTake) {
  const Key exchange(EVP_PKEY_X25519);
  ExpectRefused(CertificateOf(exchange, "server", ca_key_, "ca"),
                exchange.Pem(), ca_, "the TLS library rejects it: ");
}

TEST_F(CertificateSetTest, RefusesWhatIsNotValidNow) {
  const std::string late = CertificateOf(key_, "s", ca_key_, "ca", -7200, -60);
  ExpectRefused(late, key_.Pem(), ca_, "the certificate expired at ");
  const std::string early = CertificateOf(key_, "s", ca_key_, "ca", 3600, 7200);
  ExpectRefused(early, key_.Pem(), ca_, "not valid before ");
  const std::string late_ca =
      CertificateOf(ca_key_, "ca", ca_key_, "ca", -7200, -60);
  ExpectRefused(certificate_, key_.Pem(), late_ca, "none of its certificates");
  // A bundle may hold old ones.
  EXPECT_THAT(
      CheckCertificates(certificate_, key_.Pem(), late_ca + ca_, absl::Now()),
      IsOk());
}

TEST_F(CertificateSetTest, NamesAFileThatIsNotThere) {
  const auto set =
      LoadCertificateSet({"/nowhere/a", "/nowhere/b", ""}, absl::Now());
  EXPECT_EQ(set.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(set.status().message().find("/nowhere/a"), absl::string_view::npos);
}

}  // namespace
}  // namespace tokenusage
