// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/http/http_routes.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "tokenusage/base/loopback.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/base/string_view.h"
#include "tokenusage/service/http/connect_call.h"
#include "tokenusage/service/http/connect_error.h"
#include "tokenusage/service/rpc/access.h"
#include "tokenusage/service/rpc/request_checks.h"
#include "tokenusage/service/rpc/store_errors.h"
#include "tokenusage/service/server/listen_address.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kServicePath =
    "/tokenusage.v1.UsageReportingService/";
constexpr std::string_view kOtherRoute = "other";

// The parts of a request's target.
struct Target {
  std::optional<std::string_view> host;  // nullopt: that of the Host header
  std::string_view path;
};

// Returns the target in origin form (/path) or absolute form
// (http://host/path), without the query.
Target TargetOf(const HttpHeader& header) {
  Target target;
  target.path = {header.target().data(), header.target().size()};
  target.path = target.path.substr(0, target.path.find('?'));
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!absl::StartsWithIgnoreCase(ToAbsl(target.path), ToAbsl(scheme))) {
      continue;
    }
    const std::string_view rest = target.path.substr(scheme.size());
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    target.host = rest.substr(0, slash);
    target.path = slash == rest.size() ? "/" : rest.substr(slash);
    break;
  }
  return target;
}

std::string_view PathOf(const HttpHeader& header) {
  return TargetOf(header).path;
}

bool IsCall(std::string_view path) {
  return path.substr(0, kServicePath.size()) == kServicePath;
}

UsageReportingServiceImpl::Method MethodOf(std::string_view path) {
  return IsCall(path) ? UsageReportingServiceImpl::FindMethod(
                            path.substr(kServicePath.size()))
                      : nullptr;
}

std::vector<std::string> AllRoutes() {
  std::vector<std::string> routes = {"/", "/healthz", "/metrics"};
  const ::google::protobuf::ServiceDescriptor* const service =
      v1::ReportUsageRequest::descriptor()->file()->service(0);
  for (int i = 0; i < service->method_count(); ++i) {
    routes.push_back(std::string(kServicePath) +
                     std::string(service->method(i)->name()));
  }
  return routes;
}

// Returns the path as a name that lives forever, and that callers cannot
// invent.
std::string_view RouteOf(std::string_view path) {
  static const auto* const routes = new auto(AllRoutes());
  const auto found = std::find(routes->begin(), routes->end(), path);
  return found == routes->end() ? kOtherRoute : std::string_view(*found);
}

HttpResponse WithStatus(http::status status, HttpResponse response) {
  response.message.result(status);
  return response;
}

HttpResponse NotAllowed(const char* allowed) {
  HttpResponse response =
      WithStatus(http::status::method_not_allowed,
                 ErrorResponse(absl::UnimplementedError(
                     absl::StrCat("HTTP method: expected ", allowed))));
  response.message.set(http::field::allow, allowed);
  return response;
}

HttpResponse NotFound() {
  return WithStatus(http::status::not_found,
                    ErrorResponse(absl::UnimplementedError(
                        "there is no such path or method")));
}

// Returns whether the header has the Host that RFC 9112, 3.2 asks for: one, or
// none before HTTP/1.1.
bool HasValidHost(const HttpHeader& header) {
  constexpr std::string_view kCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "-._~!$&'()*+,;=%:[]";
  const std::size_t count = header.count(http::field::host);
  if (count == 0) return header.version() < 11;
  const auto host = header[http::field::host];
  return count == 1 &&
         std::string_view(host.data(), host.size())
                 .find_first_not_of(kCharacters) == std::string_view::npos;
}

// Returns whether the request names a loopback host, or none.
bool IsLocalHost(const HttpHeader& header) {
  const auto value = header[http::field::host];
  std::string host(TargetOf(header).host.value_or(
      std::string_view(value.data(), value.size())));
  if (host.empty()) return true;
  const std::size_t colon = host.rfind(':');
  if (colon == host.npos || host.back() == ']') host += ":0";
  return CheckAddress(host).ok() && HasLoopbackHost(host);
}

// Returns whether the request came through a proxy, whose address is then the
// peer's.
bool IsForwarded(const HttpHeader& header) {
  return header.count(http::field::forwarded) > 0 ||
         header.count("X-Forwarded-For") > 0 ||
         header.count(http::field::via) > 0;
}

}  // namespace

HttpRoutes::HttpRoutes(const HttpServerOptions& options,
                       UsageReportingServiceImpl* service)
    : options_(options),
      service_(*service),
      check_host_(options.check_host && HasLoopbackHost(options.address)) {}

std::optional<HttpResponse> HttpRoutes::CheckHeader(
    const HttpHeader& header, const HttpPeer& peer) const {
  const std::string_view path = PathOf(header);
  const std::string_view route = RouteOf(path);
  std::optional<HttpResponse> refusal;
  if (!HasValidHost(header)) {
    refusal = ErrorResponse(absl::InvalidArgumentError(
        "Host: expected one host, with or without a port"));
  } else if (check_host_ && !IsLocalHost(header)) {
    refusal = WithStatus(
        http::status::misdirected_request,
        ErrorResponse(absl::PermissionDeniedError(
            "Host: expected this machine's loopback address or localhost")));
  } else if (IsCall(path)) {
    refusal = CheckCall(header, peer);
  } else if (route == kOtherRoute || (path == "/" && options_.page.empty()) ||
             (path == "/metrics" && options_.metrics == nullptr)) {
    refusal = NotFound();
  } else if (header.method() != http::verb::get &&
             header.method() != http::verb::head) {
    refusal = NotAllowed("GET, HEAD");
  } else if (path == "/metrics") {
    const absl::Status status = CheckMetrics(header, peer);
    if (!status.ok()) refusal = ErrorResponse(status);
  }
  if (refusal) refusal->route = route;
  return refusal;
}

std::optional<HttpResponse> HttpRoutes::CheckCall(const HttpHeader& header,
                                                  const HttpPeer& peer) const {
  if (MethodOf(PathOf(header)) == nullptr) return NotFound();
  if (header.method() != http::verb::post) return NotAllowed("POST");
  if (!CodecOf(header)) {
    HttpResponse response = WithStatus(
        http::status::unsupported_media_type,
        ErrorResponse(absl::InvalidArgumentError(
            "Content-Type: expected application/json or application/proto")));
    response.message.set("Accept-Post", "application/json, application/proto");
    return response;
  }
  absl::Status status = CheckConnectHeader(header);
  // Before the body is read, so that strangers cannot make the server hold it.
  if (status.ok()) {
    status = Identify(service_.options(), OriginOf(header, peer)).status();
  }
  if (status.ok() && is_draining_) status = DrainingError();
  if (status.ok()) return std::nullopt;
  return ErrorResponse(status);
}

absl::Status HttpRoutes::CheckMetrics(const HttpHeader& header,
                                      const HttpPeer& peer) const {
  if (peer.is_loopback && !IsForwarded(header)) return absl::OkStatus();
  const CallOrigin origin = OriginOf(header, peer);
  TOKENUSAGE_ASSIGN_OR_RETURN(const auto caller,
                              Identify(service_.options(), origin));
  return CheckAccess(service_.options(), origin, *caller, kAllProjects,
                     Role::kMetrics);
}

HttpResponse HttpRoutes::RefuseBody(std::size_t max_bytes,
                                    std::uint64_t bytes) {
  HttpResponse response = ErrorResponse(
      RequestTooLargeError(max_bytes, static_cast<std::size_t>(bytes)));
  response.route = kOtherRoute;
  return response;
}

void HttpRoutes::Handle(std::shared_ptr<HttpExchange> exchange) {
  const HttpRequest& request = exchange->request();
  const std::string_view path = PathOf(request);
  const std::string_view route = RouteOf(path);
  if (const auto method = MethodOf(path)) {
    return (service_.*method)(new ConnectCall(std::move(exchange), route));
  }
  HttpResponse response = Document(path);
  response.route = route;
  CompressBody(request, &response);
  if (request.method() == http::verb::head) {
    response.message.content_length(response.message.body().size());
    response.message.body().clear();
  }
  exchange->Respond(std::move(response));
}

HttpResponse HttpRoutes::Document(std::string_view path) const {
  HttpResponse response;
  auto& message = response.message;
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  if (path == "/healthz") {
    const bool is_serving = options_.is_serving();
    message.result(is_serving ? http::status::ok
                              : http::status::service_unavailable);
    message.set(http::field::content_type, "text/plain");
    message.body() = is_serving ? "serving\n" : "not serving\n";
  } else if (path == "/metrics") {
    message.set(http::field::content_type,
                "text/plain; version=0.0.4; charset=utf-8");
    message.body() = options_.metrics();
  } else {
    message.set(http::field::content_type, "text/html; charset=utf-8");
    message.set("Content-Security-Policy", options_.page_policy);
    message.set("Referrer-Policy", "no-referrer");
    message.body() = std::string(options_.page);
  }
  return response;
}

}  // namespace tokenusage
