// SPDX-License-Identifier: Apache-2.0

// The connection of a UsageReporter to the service. Tests replace
// NewGrpcTransport (grpc_transport.h) with their own.
//
//   class Sink : public ReportTransport {
//    public:
//     ReportResult Report(const std::string& request, absl::Duration) override
//     {
//       v1::ReportUsageRequest parsed;
//       parsed.ParseFromString(request);
//       ReportResult result;
//       result.response.set_stored_count(parsed.records_size());
//       return result;
//     }
//     void Cancel() override {}
//   };

#ifndef TOKENUSAGE_CLIENT_REPORT_TRANSPORT_H_
#define TOKENUSAGE_CLIENT_REPORT_TRANSPORT_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// The outcome of a ReportUsage call.
struct ReportResult {
  // RESOURCE_EXHAUSTED with neither a reason nor a pushback means that the
  // request is too long: the reporter sends its records in smaller requests.
  absl::Status status;
  std::string reason;                      // of the error's ErrorInfo, or empty
  std::optional<absl::Duration> pushback;  // how long the service asks to wait
  v1::ReportUsageResponse response;        // if the status is OK
};

// Thread-safe.
class ReportTransport {
 public:
  virtual ~ReportTransport() = default;

  // Calls ReportUsage once, or once for each server until one answers, with a
  // serialized request. Returns within about `timeout` for each server.
  virtual ReportResult Report(const std::string& request,
                              absl::Duration timeout) = 0;

  // Cancels the calls in progress; later ones fail at once.
  virtual void Cancel() = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_REPORT_TRANSPORT_H_
