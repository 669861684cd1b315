// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/metrics/server_metrics.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "prometheus/client_metric.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"
#include "tokenusage/service/metrics/call_counter.h"

namespace tokenusage {
namespace {

// In seconds: from the sync of a fast disk to that of a slow one.
const prometheus::Histogram::BucketBoundaries kCommitBuckets = {
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};

prometheus::Counter& RecordCounter(prometheus::Registry* registry,
                                   const std::string& kind,
                                   const std::string& help) {
  return prometheus::BuildCounter()
      .Name("tokenusage_records_" + kind + "_total")
      .Help(help)
      .Register(*registry)
      .Add({});
}

// Returns the label of a reason: its name in the schema without the prefix.
prometheus::Labels ReasonLabel(std::string_view name, std::string_view prefix) {
  const bool is_known = name.substr(0, prefix.size()) == prefix;
  return {{"reason",
           is_known ? std::string(name.substr(prefix.size())) : "UNSPECIFIED"}};
}

// Returns the methods that a server may have. Those of our service are all raw:
// see RawUsageReportingService. A test measures each of them.
CallCounterFactory::Methods Methods() {
  CallCounterFactory::Methods methods;
  methods.other = {
      "grpc.health.v1.Health/Check", "grpc.health.v1.Health/Watch",
      "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"};
  const ::google::protobuf::ServiceDescriptor* const service =
      v1::ReportUsageRequest::descriptor()->file()->service(0);
  for (int i = 0; i < service->method_count(); ++i) {
    methods.raw.push_back(std::string(service->full_name()) + "/" +
                          std::string(service->method(i)->name()));
  }
  return methods;
}

prometheus::MetricFamily GaugeOf(const std::string& name,
                                 const std::string& help, std::int64_t value) {
  prometheus::ClientMetric metric;
  metric.gauge.value = static_cast<double>(value);
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = prometheus::MetricType::Gauge;
  family.metric.push_back(std::move(metric));
  return family;
}

}  // namespace

ServerMetrics::ServerMetrics(const std::string& version)
    : registry_(std::make_shared<prometheus::Registry>()),
      stored_(RecordCounter(registry_.get(), "stored", "Records stored.")),
      duplicate_(RecordCounter(
          registry_.get(), "duplicate",
          "Records that were stored already, with the same content.")),
      refused_(prometheus::BuildCounter()
                   .Name("tokenusage_records_refused_total")
                   .Help("Records refused, by reason.")
                   .Register(*registry_)),
      inconsistent_(
          RecordCounter(registry_.get(), "inconsistent",
                        "Records stored whose usage contradicts itself.")),
      unknown_usage_(
          prometheus::BuildCounter()
              .Name("tokenusage_records_unknown_usage_total")
              .Help("Records stored whose usage is not known, by reason.")
              .Register(*registry_)),
      commit_(prometheus::BuildHistogram()
                  .Name("tokenusage_commit_duration_seconds")
                  .Help("How long the store's commits took.")
                  .Register(*registry_)
                  .Add({}, kCommitBuckets)),
      http_(prometheus::BuildHistogram()
                .Name("http_server_request_duration_seconds")
                .Help("How long requests over HTTP took, by route and status.")
                .Register(*registry_)),
      healthy_(prometheus::BuildGauge()
                   .Name("tokenusage_store_healthy")
                   .Help("1 while the store works, 0 since it failed.")
                   .Register(*registry_)
                   .Add({})),
      accepting_(prometheus::BuildGauge()
                     .Name("tokenusage_accepting_connections")
                     .Help("1, or 0 while connections cannot be accepted, for "
                           "want of descriptors or memory.")
                     .Register(*registry_)
                     .Add({})),
      connections_(prometheus::BuildGauge()
                       .Name("tokenusage_connections")
                       .Help("Open connections.")
                       .Register(*registry_)
                       .Add({})),
      connections_closed_(prometheus::BuildCounter()
                              .Name("tokenusage_connections_closed_total")
                              .Help("Connections closed because of the limits.")
                              .Register(*registry_)
                              .Add({})),
      reloads_(prometheus::BuildCounter()
                   .Name("tokenusage_reloads_total")
                   .Help("Files that were read again, by file and result.")
                   .Register(*registry_)),
      certificate_expiry_(
          prometheus::BuildGauge()
              .Name("tokenusage_certificate_expiry_timestamp_seconds")
              .Help("When the server's certificate expires, in seconds since "
                    "1970.")
              .Register(*registry_)) {
  prometheus::BuildGauge()
      .Name("tokenusage_build_info")
      .Help("Always 1; the label has the version.")
      .Register(*registry_)
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

void ServerMetrics::OnReload(const std::string& what, bool ok) {
  reloads_.Add({{"file", what}, {"result", ok ? "ok" : "failed"}}).Increment();
}

void ServerMetrics::OnCertificate(absl::Time expires) {
  certificate_expiry_.Add({}).Set(
      static_cast<double>(absl::ToUnixSeconds(expires)));
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
ServerMetrics::NewCallCounter() {
  return std::make_unique<CallCounterFactory>(registry_.get(), Methods());
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
  std::vector<prometheus::MetricFamily> families = registry_->Collect();
  const StoreStats stats = store.Stats();
  families.push_back(GaugeOf("tokenusage_queue_batches",
                             "Batches waiting for the store.",
                             stats.queued_batches));
  families.push_back(GaugeOf("tokenusage_queue_bytes",
                             "Estimated memory of the waiting batches.",
                             stats.queued_bytes));
  families.push_back(GaugeOf("tokenusage_store_size_bytes",
                             "The store's size on disk.", stats.size_bytes));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace tokenusage
