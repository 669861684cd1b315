// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/usage_server.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/impl/server_builder_option.h"
#include "grpcpp/impl/server_builder_plugin.h"
#include "grpcpp/security/server_credentials.h"
#include "tokenusage/base/loopback.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/service/server/listen_address.h"

namespace tokenusage {
namespace {

// The time that health watchers have to receive the last status.
constexpr absl::Duration kLastWord = absl::Milliseconds(100);

// Removes what linking gRPC's reflection library adds to every server.
class WithoutReflection final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>*
                         plugins) override {
    plugins->erase(std::remove_if(plugins->begin(), plugins->end(),
                                  [](const auto& plugin) {
                                    return plugin->name() ==
                                           "proto_server_reflection";
                                  }),
                   plugins->end());
  }
};

using ExternalConnectionType =
    grpc::ServerBuilder::experimental_type::ExternalConnectionType;

void PrepareLibrary() {
  static const bool kDone = [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    return true;
  }();
  static_cast<void>(kDone);
}

}  // namespace

absl::Status CheckServedAddress(const UsageServerOptions& options) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckAddress(options.address));
  if (options.tls != nullptr || options.insecure_plaintext_on_any_address ||
      HasLoopbackHost(options.address)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "without TLS only loopback addresses are served: ", options.address,
      " is not one"));
}

absl::StatusOr<std::unique_ptr<UsageServer>> UsageServer::Start(
    UsageStore* store, UsageServerOptions options) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckServedAddress(options));
  PrepareLibrary();
  std::unique_ptr<UsageServer> server(
      new UsageServer(store, std::move(options)));
  TOKENUSAGE_RETURN_IF_ERROR(server->Listen());
  return server;
}

UsageServer::UsageServer(UsageStore* store, UsageServerOptions options)
    : options_(std::move(options)),
      service_(store, ServiceOptions()),
      health_(store, options_.recovery_interval,
              [this](const HealthChange& change) { OnHealthChange(change); }),
      health_thread_([this] { return health_.Step(); }) {}

// Tells the guard which connections have shown valid credentials.
class UsageServer::IdentificationWatch final : public Authorizer {
 public:
  explicit IdentificationWatch(const UsageServer* server) : server_(*server) {}

  absl::StatusOr<std::shared_ptr<const Caller>> Identify(
      const CallOrigin& origin) const override {
    auto caller = server_.options_.service.authorizer->Identify(origin);
    if (caller.ok()) server_.guard_->OnIdentified(origin.peer);
    return caller;
  }

 private:
  const UsageServer& server_;
};

UsageReportingServiceOptions UsageServer::ServiceOptions() {
  UsageReportingServiceOptions service = options_.service;
  service.authorizer = std::make_shared<IdentificationWatch>(this);
  service.observer.on_store_failure = [this](const absl::Status& status) {
    options_.service.observer.on_store_failure(status);
    if (health_.OnStoreFailure(status)) health_thread_.Wake();
  };
  if (options_.metrics != nullptr) {
    service.observer.on_report =
        [this](const v1::ReportUsageResponse& response) {
          options_.service.observer.on_report(response);
          options_.metrics->OnReport(response);
        };
    service.observer.on_stored = [this](const CheckedRecord& record) {
      options_.service.observer.on_stored(record);
      options_.metrics->OnStored(record);
    };
  }
  return service;
}

ConnectionGuard::Events UsageServer::GuardEvents() {
  ConnectionGuard::Events events;
  events.on_accepting = [this](bool is_accepting) {
    OnAccepting(is_accepting);
  };
  if (options_.tls != nullptr) events.on_unused = options_.on_unused_connection;
  if (options_.metrics != nullptr) {
    events.on_count = [this](int count) {
      options_.metrics->OnConnectionCount(count);
    };
    events.on_closed = [this] { options_.metrics->OnConnectionClosed(); };
  }
  return events;
}

absl::Status UsageServer::Listen() {
  TOKENUSAGE_ASSIGN_OR_RETURN(
      guard_, ConnectionGuard::Listen(options_.address, options_.connections,
                                      GuardEvents()));
  grpc::ServerBuilder builder;
  ApplyTransportLimits(options_.limits, &builder);
  auto acceptor = builder.experimental().AddExternalConnectionAcceptor(
      ExternalConnectionType::FROM_FD,
      options_.tls == nullptr ? grpc::InsecureServerCredentials()
                              : options_.tls->server_credentials());
  if (!options_.reflection) {
    builder.SetOption(std::make_unique<WithoutReflection>());
  }
  std::vector<
      std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
      interceptors;
  interceptors.push_back(guard_->NewInterceptorFactory());
  interceptors.push_back(health_calls_.NewInterceptorFactory());
  if (options_.metrics != nullptr) {
    interceptors.push_back(options_.metrics->NewCallCounter());
  }
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  builder.SetContextAllocator(guard_->NewContextAllocator());
  builder.RegisterService(&grpc_service_);
  auto server = builder.BuildAndStart();
  if (server == nullptr) {
    return absl::UnavailableError("gRPC cannot start the server");
  }
  {
    const std::lock_guard<std::mutex> lock(serving_mutex_);
    server_ = std::move(server);
    UpdateServing();
  }
  guard_->Start(std::move(acceptor));
  return absl::OkStatus();
}

UsageServer::~UsageServer() { Shutdown(absl::ZeroDuration()); }

void UsageServer::Shutdown(absl::Duration drain) {
  if (server_ == nullptr) return;
  {
    const std::lock_guard<std::mutex> lock(serving_mutex_);
    draining_ = true;
    UpdateServing();
  }
  const absl::Time end = absl::Now() + drain;
  grpc_service_.BeginDrain();
  grpc_service_.AwaitStreams(end);
  if (health_calls_.has_watches()) {
    absl::SleepFor(std::min(drain, kLastWord));
    health_calls_.CancelWatches();
  }
  guard_->BeginDrain();
  server_->Shutdown(absl::ToChronoTime(end));
  server_->Wait();
}

void UsageServer::OnHealthChange(const HealthChange& change) {
  {
    const std::lock_guard<std::mutex> lock(serving_mutex_);
    store_is_healthy_ = change.healthy;
    UpdateServing();
  }
  if (options_.metrics != nullptr) {
    options_.metrics->OnHealthChange(change.healthy);
  }
  options_.on_health_change(change);
}

void UsageServer::OnAccepting(bool is_accepting) {
  const std::lock_guard<std::mutex> lock(serving_mutex_);
  deaf_listeners_ += is_accepting ? -1 : 1;
  // Two deaf listeners are one event: what one lacks, the other lacks, too.
  if (deaf_listeners_ != (is_accepting ? 0 : 1)) return;
  UpdateServing();
  if (options_.metrics != nullptr) options_.metrics->OnAccepting(is_accepting);
  options_.on_accepting(is_accepting);
}

bool UsageServer::is_serving() {
  const std::lock_guard<std::mutex> lock(serving_mutex_);
  return IsServing();
}

bool UsageServer::IsServing() const {
  return store_is_healthy_ && deaf_listeners_ == 0 && !draining_;
}

void UsageServer::UpdateServing() {
  if (server_ == nullptr) return;
  auto* const health = server_->GetHealthCheckService();
  if (health == nullptr) return;
  for (const char* name :
       {"", v1::UsageReportingService::service_full_name()}) {
    health->SetServingStatus(name, IsServing());
  }
}

}  // namespace tokenusage
