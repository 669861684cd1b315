// SPDX-License-Identifier: Apache-2.0

// A unary call by the Connect protocol.
//
//   const absl::Status status = CheckConnectHeader(header);
//   ...
//   service->QueryUsage(new ConnectCall(std::move(exchange)));

#ifndef TOKENUSAGE_SERVICE_HTTP_CONNECT_CALL_H_
#define TOKENUSAGE_SERVICE_HTTP_CONNECT_CALL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "tokenusage/service/http/http_exchange.h"
#include "tokenusage/service/identity/authorizer.h"
#include "tokenusage/service/rpc/unary_call.h"
#include "tokenusage/store/usage_store.h"

namespace tokenusage {

enum class ConnectCodec { kJson, kProto };

// Returns the encoding of the request's body, by its Content-Type; nullopt if
// it is neither application/json nor application/proto.
std::optional<ConnectCodec> CodecOf(const HttpHeader& header);

// Checks the protocol's headers except Content-Type: the version, the time
// limit, the compression.
//
// Errors: INVALID_ARGUMENT; UNIMPLEMENTED for compression other than gzip.
absl::Status CheckConnectHeader(const HttpHeader& header);

// Returns the origin of a call, which is valid as long as both exist.
CallOrigin OriginOf(const HttpHeader& header, const HttpPeer& peer);

// Compresses the body if that is worth it and the caller takes it.
void CompressBody(const HttpHeader& request, HttpResponse* response);

// A call that a request over HTTP makes. Deletes itself when it is finished.
class ConnectCall final : public UnaryCall {
 public:
  // The header must have passed CheckConnectHeader, and have a codec. `route`
  // is as in HttpResponse.
  ConnectCall(std::shared_ptr<HttpExchange> exchange, std::string_view route);

  CallOrigin origin() const override;
  CallLimits limits() const override;
  RequestMessage* request() override { return request_.get(); }
  absl::StatusOr<std::size_t> Encode(
      const ::google::protobuf::Message& response) override;
  void Finish(std::shared_ptr<void> held) override;
  void FinishWithError(const absl::Status& status,
                       absl::Duration pushback) override;

 private:
  void Respond(HttpResponse response);

  const std::shared_ptr<HttpExchange> exchange_;
  const std::string_view route_;
  const ConnectCodec codec_;
  const absl::Time deadline_;
  const std::unique_ptr<RequestMessage> request_;
  HttpResponse response_;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_HTTP_CONNECT_CALL_H_
