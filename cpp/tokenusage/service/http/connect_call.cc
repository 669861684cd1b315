// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/http/connect_call.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/json/json.h"
#include "tokenusage/rpc/error_info.h"
#include "tokenusage/service/http/connect_error.h"
#include "tokenusage/service/http/json_request.h"
#include "tokenusage/service/rpc/grpc_request.h"
#include "tokenusage/service/rpc/gzip.h"

namespace tokenusage {
namespace {

namespace http = boost::beast::http;

// Shorter bodies are not worth compressing.
constexpr std::size_t kMinCompressedBytes = 1024;

template <typename Name>
absl::string_view ValueOf(const HttpHeader& header, Name name) {
  const auto value = header[name];
  return absl::string_view(value.data(), value.size());
}

absl::Status Malformed(absl::string_view what) {
  return ErrorWithInfo(
      absl::StatusCode::kInvalidArgument, "REQUEST_MALFORMED",
      absl::StrCat("the request: ", what, "; nothing was stored"));
}

absl::string_view MediaType(absl::string_view value) {
  return absl::StripAsciiWhitespace(value.substr(0, value.find(';')));
}

bool IsCompressed(const HttpHeader& header) {
  return absl::EqualsIgnoreCase(ValueOf(header, http::field::content_encoding),
                                "gzip");
}

// Returns whether the caller takes responses in gzip.
bool AcceptsGzip(const HttpHeader& header) {
  for (absl::string_view coding :
       absl::StrSplit(ValueOf(header, http::field::accept_encoding), ',')) {
    const absl::string_view name = MediaType(coding);
    if (!absl::EqualsIgnoreCase(name, "gzip")) continue;
    // q=0 is a refusal; any other weight is a yes.
    double weight = 1;
    const std::size_t at = coding.find("q=");
    if (at != coding.npos && absl::SimpleAtod(coding.substr(at + 2), &weight)) {
      return weight > 0;
    }
    return true;
  }
  return false;
}

// Returns the time of Connect-Timeout-Ms: at most ten digits; nullopt if it is
// anything else.
std::optional<absl::Duration> ParseTimeout(absl::string_view text) {
  constexpr std::size_t kMaxDigits = 10;
  std::int64_t millis = 0;
  if (text.empty()) return absl::InfiniteDuration();
  if (text.size() > kMaxDigits || !absl::SimpleAtoi(text, &millis) ||
      millis < 0) {
    return std::nullopt;
  }
  return absl::Milliseconds(millis);
}

absl::Time DeadlineOf(const HttpHeader& header) {
  return absl::Now() + ParseTimeout(ValueOf(header, "Connect-Timeout-Ms"))
                           .value_or(absl::InfiniteDuration());
}

// Takes the body of the request.
std::unique_ptr<RequestMessage> MessageOf(HttpRequest* request,
                                          ConnectCodec codec) {
  if (codec == ConnectCodec::kJson) {
    return std::make_unique<JsonRequest>(std::move(request->body()),
                                         IsCompressed(*request));
  }
  auto* const body = new std::string(std::move(request->body()));
  const grpc::Slice slice(
      body->data(), body->size(),
      [](void* owned) { delete static_cast<std::string*>(owned); }, body);
  return std::make_unique<BinaryRequest>(grpc::ByteBuffer(&slice, 1));
}

}  // namespace

std::optional<ConnectCodec> CodecOf(const HttpHeader& header) {
  const absl::string_view type =
      MediaType(ValueOf(header, http::field::content_type));
  if (absl::EqualsIgnoreCase(type, "application/json")) {
    return ConnectCodec::kJson;
  }
  if (absl::EqualsIgnoreCase(type, "application/proto")) {
    return ConnectCodec::kProto;
  }
  return std::nullopt;
}

absl::Status CheckConnectHeader(const HttpHeader& header) {
  const absl::string_view version = ValueOf(header, "Connect-Protocol-Version");
  if (!version.empty() && version != "1") {
    return Malformed("expected Connect-Protocol-Version: 1, or none");
  }
  if (!ParseTimeout(ValueOf(header, "Connect-Timeout-Ms"))) {
    return Malformed(
        "expected Connect-Timeout-Ms with at most ten digits, or none");
  }
  const absl::string_view encoding =
      ValueOf(header, http::field::content_encoding);
  if (encoding.empty() || encoding == "identity" || IsCompressed(header)) {
    return absl::OkStatus();
  }
  return absl::UnimplementedError(
      absl::StrCat("Content-Encoding: expected gzip or none, found ",
                   Excerpt(FromAbsl(encoding))));
}

CallOrigin OriginOf(const HttpHeader& header, const HttpPeer& peer) {
  CallOrigin origin;
  origin.peer = peer.name;
  const auto [first, last] = header.equal_range(http::field::authorization);
  for (auto field = first; field != last; ++field) {
    origin.authorization.emplace_back(field->value().data(),
                                      field->value().size());
  }
  origin.certificate_names = peer.certificate_names;
  return origin;
}

void CompressBody(const HttpHeader& request, HttpResponse* response) {
  auto& message = response->message;
  if (message.body().size() < kMinCompressedBytes) return;
  message.set(http::field::vary, "Accept-Encoding");
  if (!AcceptsGzip(request)) return;
  message.set(http::field::content_encoding, "gzip");
  message.body() = Gzip(message.body());
}

ConnectCall::ConnectCall(std::shared_ptr<HttpExchange> exchange,
                         std::string_view route)
    : exchange_(std::move(exchange)),
      route_(route),
      codec_(CodecOf(exchange_->request()).value_or(ConnectCodec::kJson)),
      deadline_(DeadlineOf(exchange_->request())),
      request_(MessageOf(&exchange_->request(), codec_)) {}

CallOrigin ConnectCall::origin() const {
  return OriginOf(exchange_->request(), exchange_->peer());
}

CallLimits ConnectCall::limits() const {
  CallLimits limits;
  limits.deadline = deadline_;
  limits.is_cancelled = exchange_->is_cancelled();
  return limits;
}

absl::StatusOr<std::size_t> ConnectCall::Encode(
    const ::google::protobuf::Message& response) {
  auto& message = response_.message;
  if (codec_ == ConnectCodec::kJson) {
    const absl::Status status = AppendJson(response, &message.body());
    if (!status.ok()) return absl::InternalError(status.message());
    message.set(http::field::content_type, "application/json");
  } else {
    static_cast<void>(response.AppendToString(&message.body()));
    message.set(http::field::content_type, "application/proto");
  }
  CompressBody(exchange_->request(), &response_);
  return message.body().size();
}

void ConnectCall::Finish(std::shared_ptr<void> held) {
  response_.held = std::move(held);
  Respond(std::move(response_));
}

void ConnectCall::FinishWithError(const absl::Status& status,
                                  absl::Duration pushback) {
  Respond(ErrorResponse(status, pushback));
}

void ConnectCall::Respond(HttpResponse response) {
  response.route = route_;
  exchange_->Respond(std::move(response));
  delete this;
}

}  // namespace tokenusage
