// SPDX-License-Identifier: Apache-2.0

// Reporters and a real service that authenticates its callers and checks event
// times.

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/fakes.h"
#include "tests/client/support/memory_file_system.h"
#include "tests/support/certificates.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/base/file.h"
#include "tokenusage/client/grpc_transport.h"
#include "tokenusage/client/usage_reporter.h"
#include "tokenusage/service/identity/identity_authorizer.h"
#include "tokenusage/service/identity/token.h"
#include "tokenusage/service/tls/certificate_set.h"
#include "tokenusage/service/tls/reloading_credentials.h"
#include "tokenusage/testing/in_process_server.h"

namespace tokenusage {
namespace {

using testing::CertificateOf;
using testing::Eventually;
using testing::FakeClock;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::Key;
using testing::MemoryFileSystem;
using testing::NumberedRecord;
using testing::StatusIs;

constexpr absl::Duration kLong = absl::Minutes(1);

absl::StatusOr<std::unique_ptr<UsageReporter>> StartReporter(
    const GrpcTransportOptions& connection, UsageReporterOptions options = {}) {
  auto transport = NewGrpcTransport(connection);
  if (!transport.ok()) return transport.status();
  options.project = "demo";
  return UsageReporter::Start(std::move(options), *std::move(transport));
}

class IdentityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string file = ::testing::TempDir() + "/identities";
    ASSERT_THAT(WriteFile(file, absl::StrCat("gateway demo report sha256:",
                                             HexOf(DigestOf(token_)), "\n",
                                             "proxy demo report cn:proxy\n")),
                IsOk());
    InProcessServerOptions options;
    ASSERT_OK_AND_ASSIGN(options.service.authorizer,
                         IdentityAuthorizer::FromFile(file));
    options.tls = [this] {
      auto set = CheckCertificates(certificate_, key_.Pem(), proxy_certificate_,
                                   absl::Now());
      EXPECT_THAT(set, IsOk());
      return std::make_shared<ReloadingCredentials>(
          *std::move(set), ClientCertificate::kOptional);
    };
    ASSERT_OK_AND_ASSIGN(server_, InProcessServer::Start(std::move(options)));
    connection_.servers = {server_->address()};
    connection_.tls = true;
    connection_.tls_ca = certificate_;
    connection_.tls_server_name = "usage.test";
  }

  const Key key_, proxy_key_;
  const std::string certificate_ =
      CertificateOf(key_, "usage.test", key_, "usage.test");
  const std::string proxy_certificate_ =
      CertificateOf(proxy_key_, "proxy", proxy_key_, "proxy");
  const std::string token_ = NewToken();
  std::unique_ptr<InProcessServer> server_;
  GrpcTransportOptions connection_;
};

TEST_F(IdentityTest, ReportsWithATokenOnceItIsRight) {
  connection_.token_file = ::testing::TempDir() + "/token";
  ASSERT_THAT(WriteFile(connection_.token_file, NewToken()), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto reporter, StartReporter(connection_));
  ASSERT_THAT(reporter->Report(NumberedRecord(1)), IsOk());
  ASSERT_TRUE(
      Eventually([&] { return reporter->counters().failed_calls > 0; }));
  EXPECT_THAT(server_->store().GetRecord("demo", "r1"),
              StatusIs(absl::StatusCode::kNotFound));
  ASSERT_THAT(WriteFile(connection_.token_file, token_ + "\n"), IsOk());
  EXPECT_THAT(reporter->Stop(kLong), IsOk());
  EXPECT_THAT(server_->store().GetRecord("demo", "r1"), IsOk());
}

TEST_F(IdentityTest, ReportsWithACertificate) {
  connection_.tls_key = proxy_key_.Pem();
  connection_.tls_certificate = proxy_certificate_;
  ASSERT_OK_AND_ASSIGN(const auto reporter, StartReporter(connection_));
  ASSERT_THAT(reporter->Report(NumberedRecord(1)), IsOk());
  EXPECT_THAT(reporter->Stop(kLong), IsOk());
  EXPECT_THAT(server_->store().GetRecord("demo", "r1"), IsOk());
}

TEST_F(IdentityTest, KeepsRecordsFromAServerThatItDoesNotTrust) {
  const Key other;
  connection_.tls_ca = CertificateOf(other, "usage.test", other, "usage.test");
  ASSERT_OK_AND_ASSIGN(const auto reporter, StartReporter(connection_));
  ASSERT_THAT(reporter->Report(NumberedRecord(1)), IsOk());
  ASSERT_TRUE(
      Eventually([&] { return reporter->counters().failed_calls > 0; }));
  EXPECT_EQ(reporter->counters().pending_records, 1);
}

TEST(ClockTest, ParksRecordsThatAClockAheadOfTheServiceDates) {
  ASSERT_OK_AND_ASSIGN(const auto server, InProcessServer::Start());
  GrpcTransportOptions connection;
  connection.servers = {server->address()};
  FakeClock clock{/*advances_itself=*/true};
  clock.SetNow(absl::Now() + absl::Hours(1));
  MemoryFileSystem files;
  UsageReporterOptions options;
  options.durability = Durability::kProcess;
  options.spool_folder = "spool";
  options.files = &files;
  options.clock = &clock;
  ASSERT_OK_AND_ASSIGN(const auto reporter,
                       StartReporter(connection, std::move(options)));
  v1::UsageRecord record = NumberedRecord(1);
  record.clear_event_time();
  ASSERT_THAT(reporter->Report(record), IsOk());
  ASSERT_TRUE(Eventually([&] { return reporter->counters().refused == 1; }));
  EXPECT_THAT(files.Content("spool/refused.jsonl"),
              HasSubstr("RECORD_ERROR_REASON_TIME_OUT_OF_RANGE"));
  // Once the clock is right, records are stored.
  clock.SetNow(absl::Now());
  ASSERT_THAT(reporter->Report(record), IsOk());
  ASSERT_TRUE(Eventually([&] { return reporter->counters().stored == 1; }));
}

}  // namespace
}  // namespace tokenusage
