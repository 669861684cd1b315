// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/metrics/server_metrics.h"

#include "absl/strings/str_cat.h"
#include "prometheus/text_serializer.h"
#include "tokenusage/service/metrics/call_counter.h"

namespace tokenusage {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

// In seconds: from the sync of a fast disk to that of a slow one.
const prometheus::Histogram::BucketBoundaries kCommitBuckets = {
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};

// Registers a family of counters, gauges or histograms.
template <typename Builder>
auto& NewFamily(Builder builder, prometheus::Registry* registry,
                const std::string& name, const std::string& help) {
  return builder.Name(name).Help(help).Register(*registry);
}

// Registers a counter or a gauge without labels.
template <typename Builder>
auto& NewMetric(Builder builder, prometheus::Registry* registry,
                const std::string& name, const std::string& help) {
  return NewFamily(builder, registry, name, help).Add({});
}

// Returns the label of a reason: its name in the schema without the prefix;
// UNSPECIFIED if this program does not know it.
prometheus::Labels ReasonLabel(std::string_view name, std::string_view prefix) {
  const bool is_known = name.substr(0, prefix.size()) == prefix;
  return {{"reason",
           is_known ? std::string(name.substr(prefix.size())) : "UNSPECIFIED"}};
}

}  // namespace

ServerMetrics::ServerMetrics(const std::string& version)
    : stored_(NewMetric(BuildCounter(), &registry_,
                        "tokenusage_records_stored_total", "Records stored.")),
      duplicate_(NewMetric(
          BuildCounter(), &registry_, "tokenusage_records_duplicate_total",
          "Records that had already been stored, with the same content.")),
      refused_(NewFamily(BuildCounter(), &registry_,
                         "tokenusage_records_refused_total",
                         "Records refused, by reason.")),
      inconsistent_(NewMetric(
          BuildCounter(), &registry_, "tokenusage_records_inconsistent_total",
          "Records stored whose usage contradicts itself.")),
      unknown_usage_(NewFamily(
          BuildCounter(), &registry_, "tokenusage_records_unknown_usage_total",
          "Records stored whose usage is not known, by reason.")),
      commit_(NewFamily(BuildHistogram(), &registry_,
                        "tokenusage_commit_duration_seconds",
                        "How long the store's commits took.")
                  .Add({}, kCommitBuckets)),
      http_(NewFamily(
          BuildHistogram(), &registry_, "http_server_request_duration_seconds",
          "How long requests over HTTP took, by route and status.")),
      healthy_(NewMetric(BuildGauge(), &registry_, "tokenusage_store_healthy",
                         "1 while the store works, 0 after it has failed.")),
      accepting_(NewMetric(BuildGauge(), &registry_,
                           "tokenusage_accepting_connections",
                           "1, or 0 while connections cannot be accepted for "
                           "lack of file descriptors or memory.")),
      connections_(NewMetric(BuildGauge(), &registry_, "tokenusage_connections",
                             "Open connections.")),
      connections_closed_(NewMetric(
          BuildCounter(), &registry_, "tokenusage_connections_closed_total",
          "Connections closed because of the limits.")),
      reloads_(NewFamily(BuildCounter(), &registry_, "tokenusage_reloads_total",
                         "Reloads of files, by file and result.")),
      certificate_expiry_(
          NewFamily(BuildGauge(), &registry_,
                    "tokenusage_certificate_expiry_timestamp_seconds",
                    "When the server's certificate expires, in seconds since "
                    "1970.")),
      queue_batches_(NewMetric(BuildGauge(), &registry_,
                               "tokenusage_queue_batches",
                               "Batches waiting for the store.")),
      queue_bytes_(NewMetric(BuildGauge(), &registry_, "tokenusage_queue_bytes",
                             "Estimated memory of the waiting batches.")),
      store_bytes_(NewMetric(BuildGauge(), &registry_,
                             "tokenusage_store_size_bytes",
                             "The store's size on disk.")) {
  NewFamily(BuildGauge(), &registry_, "tokenusage_build_info",
            "Always 1; the label `version` holds the version.")
      .Add({{"version", version}})
      .Set(1);
  healthy_.Set(1);
  accepting_.Set(1);
}

void ServerMetrics::OnReport(const v1::ReportUsageResponse& response) {
  stored_.Increment(response.stored_count());
  duplicate_.Increment(response.duplicate_count());
  for (const v1::RecordError& error : response.errors()) {
    const std::string name(v1::RecordErrorReason_Name(error.reason()));
    refused_.Add(ReasonLabel(name, "RECORD_ERROR_REASON_")).Increment();
  }
}

void ServerMetrics::OnStored(const CheckedRecord& record) {
  if (record.inconsistent()) inconsistent_.Increment();
  if (!record.record().has_usage_unknown()) return;
  const std::string name(
      v1::UnknownUsageReason_Name(record.record().usage_unknown().reason()));
  unknown_usage_.Add(ReasonLabel(name, "UNKNOWN_USAGE_REASON_")).Increment();
}

void ServerMetrics::OnCommit(absl::Duration time) {
  commit_.Observe(absl::ToDoubleSeconds(time));
}

void ServerMetrics::OnHealthChange(bool healthy) {
  healthy_.Set(healthy ? 1 : 0);
}

void ServerMetrics::OnAccepting(bool is_accepting) {
  accepting_.Set(is_accepting ? 1 : 0);
}

void ServerMetrics::OnConnectionCount(int count) { connections_.Set(count); }

void ServerMetrics::OnConnectionClosed() { connections_closed_.Increment(); }

void ServerMetrics::OnReload(const std::string& file, bool ok) {
  reloads_.Add({{"file", file}, {"result", ok ? "ok" : "failed"}}).Increment();
}

void ServerMetrics::OnCertificate(absl::Time expires) {
  certificate_expiry_.Add({}).Set(
      static_cast<double>(absl::ToUnixSeconds(expires)));
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
ServerMetrics::NewCallCounter() {
  return NewCallCounterFactory(&registry_);
}

void ServerMetrics::OnHttpResponse(std::string_view route, int status,
                                   absl::Duration time) {
  http_
      .Add({{"http_route", std::string(route)},
            {"http_response_status_code", absl::StrCat(status)}},
           SecondsBuckets())
      .Observe(absl::ToDoubleSeconds(time));
}

std::string ServerMetrics::Text(const UsageStore& store) const {
  const StoreStats stats = store.Stats();
  queue_batches_.Set(static_cast<double>(stats.queued_batches));
  queue_bytes_.Set(static_cast<double>(stats.queued_bytes));
  store_bytes_.Set(static_cast<double>(stats.size_bytes));
  return prometheus::TextSerializer().Serialize(registry_.Collect());
}

}  // namespace tokenusage
