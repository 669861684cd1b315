// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/tls/certificate_set.h"

#include <string>

#include "gtest/gtest.h"
#include "openssl/evp.h"
#include "tests/support/certificates.h"
#include "tests/support/status_matchers.h"

namespace tokenusage {
namespace {

using testing::CertificateOf;
using testing::IsOk;
using testing::Key;
using ::testing::Not;

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
