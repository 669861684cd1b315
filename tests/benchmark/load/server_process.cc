// SPDX-License-Identifier: Apache-2.0

#include "tests/benchmark/load/server_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "google/protobuf/arena.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "tests/benchmark/load/records.h"
#include "tokenusage/service/http/http_server.h"
#include "tokenusage/service/server/transport_limits.h"
#include "tokenusage/service/usage_server.h"
#include "tokenusage/store/sqlite/store.h"

namespace tokenusage::load {
namespace {

void Require(bool ok, const std::string& what) {
  if (ok) return;
  std::perror(what.c_str());
  std::abort();
}

// Adds the counts up and keeps nothing.
class NullStore final : public UsageStore {
 public:
  void AppendAsync(std::string, std::shared_ptr<const CheckedBatch> batch,
                   CallLimits, AppendCallback done) override {
    UsageSum sum;
    for (const CheckedRecord& record : *batch) sum.Add(record.counts());
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      total_.Add(sum);
    }
    done(std::vector<AppendOutcome>(batch->size(), AppendOutcome::kStored));
  }
  absl::StatusOr<UsageQueryPage> Query(const UsageQuery&) override {
    return UsageQueryPage();
  }
  absl::StatusOr<v1::UsageRecord> GetRecord(std::string_view,
                                            std::string_view) override {
    return absl::NotFoundError("nothing is kept");
  }
  absl::StatusOr<RecordPage> ListRecords(const RecordQuery&) override {
    return RecordPage();
  }
  absl::StatusOr<std::vector<StoredProject>> ListProjects(
      const CallLimits&) override {
    return std::vector<StoredProject>();
  }

 private:
  std::mutex mutex_;
  UsageSum total_;
};

using RawService = v1::UsageReportingService::WithRawCallbackMethod_ReportUsage<
    v1::UsageReportingService::Service>;

class EchoService final : public RawService {
 public:
  grpc::ServerUnaryReactor* ReportUsage(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override {
    *response = *request;
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class ParseService final : public RawService {
 public:
  grpc::ServerUnaryReactor* ReportUsage(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override {
    ::google::protobuf::Arena arena;
    auto* parsed = v1::ReportUsageRequest::default_instance().New(&arena);
    grpc::ByteBuffer copy(*request);
    grpc::ProtoBufferReader reader(&copy);
    const bool ok = parsed->ParseFromZeroCopyStream(&reader);
    v1::ReportUsageResponse answer;
    answer.set_stored_count(parsed->records_size());
    *response = ToBytes(answer);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ok ? grpc::Status::OK
                       : grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, ""));
    return reactor;
  }
};

// Prints the port, and returns when standard input ends.
void PrintPortAndWait(int port) {
  std::cout << port << std::endl;
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

int ServeBare(grpc::Service* service) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  PrintPortAndWait(port);
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

int ServeStore(UsageStore* store, bool over_http = false) {
  UsageServerOptions options;
  options.address = "127.0.0.1:0";
  auto server = UsageServer::Start(store, options);
  Require(server.ok(), "server");
  HttpServerOptions http_options;
  http_options.address = "127.0.0.1:0";
  auto http = HttpServer::Start((*server)->service(), http_options);
  Require(http.ok(), "HTTP server");
  PrintPortAndWait(over_http ? (*http)->port() : (*server)->port());
  http->reset();
  (*server)->Shutdown(absl::ZeroDuration());
  return 0;
}

}  // namespace

int RunServer(const std::string& kind, const std::string& path) {
  BoundReadsOfProcess();  // as tokenusage serve
  if (kind == "echo") {
    EchoService service;
    return ServeBare(&service);
  }
  if (kind == "parse") {
    ParseService service;
    return ServeBare(&service);
  }
  if (kind == "null") {
    NullStore store;
    return ServeStore(&store);
  }
  SqliteStoreOptions options;
  if (kind == "sqlite1") options.max_records_per_commit = 1000;
  if (kind == "labels") options.rollups.labels = RollupLabels{"customer"};
  options.rollups.max_series = kMostSeriesPerProject;
  auto store = OpenSqliteStore(path, options);
  if (!store.ok()) std::cerr << store.status() << std::endl;
  Require(store.ok(), "store");
  return ServeStore(store->get(), kind == "http");
}

ServerProcess::ServerProcess(const std::string& kind, const std::string& path) {
  int to_child[2];
  int from_child[2];
  Require(pipe2(to_child, O_CLOEXEC) == 0 && pipe2(from_child, O_CLOEXEC) == 0,
          "pipe");
  process_ = fork();
  Require(process_ >= 0, "fork");
  if (process_ == 0) {
    dup2(to_child[0], STDIN_FILENO);
    dup2(from_child[1], STDOUT_FILENO);
    const std::string serve = "--serve=" + kind;
    const std::string database = "--database=" + path;
    execl("/proc/self/exe", "load", serve.c_str(),
          path.empty() ? nullptr : database.c_str(), nullptr);
    std::_Exit(127);
  }
  close(to_child[0]);
  close(from_child[1]);
  input_ = to_child[1];
  FILE* output = fdopen(from_child[0], "r");
  Require(output != nullptr && std::fscanf(output, "%d", &port_) == 1,
          "the server");
  std::fclose(output);
}

ServerProcess::~ServerProcess() {
  close(input_);
  int status;
  waitpid(process_, &status, 0);
}

double ServerProcess::CpuSeconds() const {
  clockid_t clock;
  timespec time = {};
  Require(clock_getcpuclockid(process_, &clock) == 0 &&
              clock_gettime(clock, &time) == 0,
          "clock");
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_nsec) / 1e9;
}

std::int64_t ServerProcess::ResidentKilobytes() const {
  return StatusValue("VmRSS:");
}

std::int64_t ServerProcess::PeakResidentKilobytes() const {
  return StatusValue("VmHWM:");
}

std::int64_t ServerProcess::StatusValue(const std::string& name) const {
  std::ifstream status("/proc/" + std::to_string(process_) + "/status");
  std::string word;
  std::int64_t value = 0;
  while (status >> word) {
    if (word == name && status >> value) return value;
  }
  return 0;
}

}  // namespace tokenusage::load
