// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/grpc_transport.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/loopback.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/client/channel.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/rpc/pushback.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"  // for gRPC's traits

namespace tokenusage {
namespace {

constexpr char kReportUsage[] =
    "/tokenusage.v1.UsageReportingService/ReportUsage";

// Requests are encoded already.
using Stub =
    grpc::TemplatedGenericStub<grpc::ByteBuffer, v1::ReportUsageResponse>;

absl::Status CheckOptions(const GrpcTransportOptions& options) {
  if (options.servers.empty()) {
    return absl::InvalidArgumentError("servers: expected at least one");
  }
  for (const std::string& server : options.servers) {
    if (!absl::StrContains(server, ":") || absl::StrContains(server, "://")) {
      return absl::InvalidArgumentError(
          absl::StrCat("servers: expected host:port, found ", server));
    }
    if (!options.token_file.empty() && !options.tls &&
        !HasLoopbackHost(server)) {
      return absl::InvalidArgumentError(
          absl::StrCat("token_file: the token would go to ", server,
                       " in plain text; set tls"));
    }
  }
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return absl::InvalidArgumentError(
        "tls_certificate and tls_key must be set together");
  }
  return absl::OkStatus();
}

// Returns the error of a call that failed. If a server that is short of memory
// resets the stream, gRPC's code is RESOURCE_EXHAUSTED, as for a message that
// is too long, and only the text differs. Such a call may be made again.
absl::Status ErrorOf(const grpc::Status& status) {
  if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED &&
      absl::StrContains(status.error_message(), "RST_STREAM")) {
    return absl::UnavailableError(status.error_message());
  }
  return FromGrpcStatus(status);
}

// Returns whether another server may answer.
bool IsWorthAnotherServer(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status) ||
         absl::IsDeadlineExceeded(status);
}

// A file with a token that another program renews. Thread-safe.
class TokenFile {
 public:
  // Errors: those of ReadFile; INVALID_ARGUMENT if the file holds no token.
  static absl::StatusOr<std::unique_ptr<TokenFile>> Open(
      const std::string& path) {
    std::unique_ptr<TokenFile> file(new TokenFile(path));
    TOKENUSAGE_RETURN_IF_ERROR(file->Read());
    return file;
  }

  // Returns the token that the file holds now. If it cannot be read, or holds
  // none, for instance while it is replaced, returns the last one.
  std::string Get() {
    const std::lock_guard lock(mutex_);
    if (CurrentVersion() != version_) Read().IgnoreError();
    return token_;
  }

 private:
  // The properties that change with the file: inode, size, and modification
  // time in seconds and nanoseconds.
  using Version = std::array<std::int64_t, 4>;

  explicit TokenFile(const std::string& path) : path_(path) {}

  Version CurrentVersion() const {
    struct stat stat = {};
    if (::stat(path_.c_str(), &stat) != 0) return version_;
    return {static_cast<std::int64_t>(stat.st_ino), stat.st_size,
            stat.st_mtim.tv_sec, stat.st_mtim.tv_nsec};
  }

  absl::Status Read() {
    const Version version = CurrentVersion();
    TOKENUSAGE_ASSIGN_OR_RETURN(std::string token, ReadFile(path_));
    absl::StripAsciiWhitespace(&token);
    if (token.empty() || !std::all_of(token.begin(), token.end(), [](char c) {
          return c > ' ' && c <= '~';
        })) {
      return absl::InvalidArgumentError(
          "token_file: expected one token, found something else in " + path_);
    }
    token_ = std::move(token);
    version_ = version;
    return absl::OkStatus();
  }

  const std::string path_;
  std::mutex mutex_;  // guards the members below
  Version version_{};
  std::string token_;
};

class GrpcTransport : public ReportTransport {
 public:
  GrpcTransport(const GrpcTransportOptions& options,
                std::unique_ptr<TokenFile> token)
      : token_(std::move(token)) {
    for (const std::string& server : options.servers) {
      stubs_.push_back(std::make_unique<Stub>(NewChannel(server, options)));
    }
  }

  ReportResult Report(const std::string& request,
                      absl::Duration timeout) override {
    const std::size_t first = current_;
    ReportResult result;
    for (std::size_t i = 0; i < stubs_.size(); ++i) {
      const std::size_t server = (first + i) % stubs_.size();
      result = Call(server, request, timeout);
      if (!IsWorthAnotherServer(result.status)) {
        current_ = server;
        break;
      }
    }
    return result;
  }

  void Cancel() override {
    const std::lock_guard lock(mutex_);
    is_cancelled_ = true;
    for (grpc::ClientContext* context : contexts_) context->TryCancel();
  }

 private:
  // Registers a call, or returns false after Cancel.
  bool Begin(grpc::ClientContext* context) {
    const std::lock_guard lock(mutex_);
    if (!is_cancelled_) contexts_.insert(context);
    return !is_cancelled_;
  }

  void End(grpc::ClientContext* context) {
    const std::lock_guard lock(mutex_);
    contexts_.erase(context);
  }

  ReportResult Call(std::size_t server, const std::string& request,
                    absl::Duration timeout) {
    ReportResult result;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         absl::ToChronoMicroseconds(timeout));
    if (token_ != nullptr) {
      context.AddMetadata("authorization", "Bearer " + token_->Get());
    }
    if (!Begin(&context)) {
      result.status = absl::CancelledError("the reporter was stopped");
      return result;
    }
    const grpc::Slice slice(request);
    const grpc::ByteBuffer encoded(&slice, 1);
    std::promise<grpc::Status> done;
    stubs_[server]->UnaryCall(
        &context, kReportUsage, grpc::StubOptions(), &encoded, &result.response,
        [&done](grpc::Status status) { done.set_value(std::move(status)); });
    const grpc::Status status = done.get_future().get();
    End(&context);
    if (status.ok()) return result;
    result.status = ErrorOf(status);
    if (auto info = GetErrorInfo(result.status)) result.reason = info->reason;
    result.pushback = PushbackOf(context);
    return result;
  }

  const std::unique_ptr<TokenFile> token_;  // may be null
  std::vector<std::unique_ptr<Stub>> stubs_;
  std::atomic<std::size_t> current_{0};  // the server that answered last

  std::mutex mutex_;  // guards the members below
  bool is_cancelled_ = false;
  std::set<grpc::ClientContext*> contexts_;  // of the calls in progress
};

}  // namespace

absl::StatusOr<std::unique_ptr<ReportTransport>> NewGrpcTransport(
    const GrpcTransportOptions& options) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckOptions(options));
  std::unique_ptr<TokenFile> token;
  if (!options.token_file.empty()) {
    TOKENUSAGE_ASSIGN_OR_RETURN(token, TokenFile::Open(options.token_file));
  }
  return std::make_unique<GrpcTransport>(options, std::move(token));
}

}  // namespace tokenusage
