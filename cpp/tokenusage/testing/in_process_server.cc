// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/testing/in_process_server.h"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/store/memory_store.h"

namespace tokenusage {

// Passes everything on to a store, and fails appends if told to.
class InProcessServer::FaultyStore : public UsageStore {
 public:
  explicit FaultyStore(UsageStore* store)
      : own_store_(store == nullptr ? NewMemoryStore() : nullptr),
        store_(store == nullptr ? own_store_.get() : store) {}

  UsageStore& target() { return *store_; }

  void SetError(absl::Status error, bool is_stored) {
    const std::lock_guard lock(mutex_);
    error_ = std::move(error);
    is_stored_ = is_stored;
  }

  void AppendAsync(std::string project,
                   std::shared_ptr<const CheckedBatch> batch, CallLimits limits,
                   AppendCallback done) override {
    absl::Status error;
    bool is_stored = true;
    {
      const std::lock_guard lock(mutex_);
      if (!error_.ok()) is_stored = is_stored_;
      error = error_;
    }
    if (!is_stored) return done(error);
    store_->AppendAsync(
        std::move(project), std::move(batch), std::move(limits),
        [error, done = std::move(done)](AppendResult result) {
          done(error.ok() ? std::move(result) : AppendResult(error));
        });
  }

  absl::StatusOr<UsageQueryPage> Query(const UsageQuery& query) override {
    return store_->Query(query);
  }
  absl::StatusOr<v1::UsageRecord> GetRecord(
      std::string_view project, std::string_view record_id) override {
    return store_->GetRecord(project, record_id);
  }
  absl::StatusOr<RecordPage> ListRecords(const RecordQuery& query) override {
    return store_->ListRecords(query);
  }
  absl::StatusOr<std::vector<StoredProject>> ListProjects(
      const CallLimits& limits) override {
    return store_->ListProjects(limits);
  }
  absl::Status CheckWritable() override {
    {
      const std::lock_guard lock(mutex_);
      if (!error_.ok()) return error_;
    }
    return store_->CheckWritable();
  }
  std::string page_token_key() const override {
    return store_->page_token_key();
  }
  StoreStats Stats() const override { return store_->Stats(); }
  StoreMaintenance* maintenance() override { return store_->maintenance(); }

 private:
  const std::unique_ptr<UsageStore> own_store_;
  UsageStore* const store_;
  std::mutex mutex_;
  absl::Status error_;  // guarded by mutex_, as is is_stored_
  bool is_stored_ = false;
};

InProcessServer::InProcessServer(InProcessServerOptions options)
    : options_(std::move(options)),
      store_(std::make_unique<FaultyStore>(options_.store)) {}

InProcessServer::~InProcessServer() = default;

absl::StatusOr<std::unique_ptr<InProcessServer>> InProcessServer::Start(
    InProcessServerOptions options) {
  std::unique_ptr<InProcessServer> result(
      new InProcessServer(std::move(options)));
  TOKENUSAGE_RETURN_IF_ERROR(result->StartAgain());
  std::string& address = result->options_.address;
  address = address.substr(0, address.rfind(':') + 1) +
            std::to_string(result->server_->port());
  return result;
}

absl::Status InProcessServer::StartAgain() {
  UsageServerOptions options;
  options.address = options_.address;
  options.service = options_.service;
  if (options_.tls) options.tls = options_.tls();
  TOKENUSAGE_ASSIGN_OR_RETURN(
      server_, UsageServer::Start(store_.get(), std::move(options)));
  return absl::OkStatus();
}

void InProcessServer::Stop(absl::Duration drain) {
  if (server_ == nullptr) return;
  server_->Shutdown(drain);
  server_.reset();
}

UsageStore& InProcessServer::store() { return store_->target(); }

void InProcessServer::FailReports(absl::Status error, bool is_stored) {
  store_->SetError(std::move(error), is_stored);
}

std::shared_ptr<grpc::Channel> InProcessServer::NewChannel() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(
      address(), grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace tokenusage
