// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/spool_delivery.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/cli/progress.h"
#include "tokenusage/cli/terminal.h"
#include "tokenusage/client/grpc_transport.h"

namespace tokenusage {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(15);

std::int64_t AnsweredIn(const UsageReporterCounters& counters) {
  return counters.stored + counters.duplicates + counters.refused;
}

}  // namespace

absl::StatusOr<std::unique_ptr<UsageReporter>> StartSpoolReporter(
    const ServiceFlags& flags, const std::string& folder) {
  TOKENUSAGE_ASSIGN_OR_RETURN(const ConnectionOptions connection,
                              ReadConnection(flags));
  GrpcTransportOptions transport;
  transport.servers = {connection.server};
  transport.tls = connection.tls;
  transport.tls_ca = connection.ca;
  transport.tls_certificate = connection.certificate;
  transport.tls_key = connection.key;
  transport.tls_server_name = connection.server_name;
  transport.token_file = flags.token_file;
  TOKENUSAGE_ASSIGN_OR_RETURN(std::unique_ptr<ReportTransport> grpc,
                              NewGrpcTransport(transport));
  UsageReporterOptions options;
  options.project = flags.project;
  options.durability = Durability::kDisk;
  options.spool_folder = folder;
  options.full_timeout = kPatience;
  options.max_retry_delay = absl::Seconds(1);
  options.log = [](std::string_view message) { PrintError(message); };
  options.on_refused = [](const v1::UsageRecord& record,
                          const v1::RecordError& error) {
    PrintError(absl::StrCat("record ", record.record_id(), ": ", error.field(),
                            error.field().empty() ? "" : ": ",
                            error.message()));
  };
  return UsageReporter::Start(std::move(options), std::move(grpc));
}

absl::Status Deliver(UsageReporter* reporter) {
  const UsageReporterCounters before = reporter->counters();
  const double total = static_cast<double>(before.pending_records);
  Progress progress("records");
  std::int64_t answered = AnsweredIn(before);
  absl::Time last_answer = absl::Now();
  while (!reporter->Flush(absl::Milliseconds(200)).ok()) {
    const UsageReporterCounters counters = reporter->counters();
    if (AnsweredIn(counters) > answered) last_answer = absl::Now();
    answered = AnsweredIn(counters);
    const std::int64_t done = answered - AnsweredIn(before);
    progress.Show(done, static_cast<double>(done) / total);
    if (absl::Now() - last_answer > kPatience) break;
  }
  progress.Clear();
  const absl::Status stopped = reporter->Stop(absl::ZeroDuration());
  if (stopped.ok()) return stopped;
  return absl::UnavailableError(stopped.message());
}

std::string DescribeDelivery(const UsageReporterCounters& counters) {
  return absl::StrCat("stored ", counters.stored, ", duplicate ",
                      counters.duplicates, ", refused ", counters.refused,
                      ", waiting ", counters.pending_records);
}

}  // namespace tokenusage
