// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/rpc/health_requests.h"

#include <cstddef>
#include <string_view>

#include "grpcpp/support/byte_buffer.h"
#include "tokenusage/service/rpc/grpc_request.h"

namespace tokenusage {
namespace {

using grpc::experimental::InterceptionHookPoints;

constexpr std::string_view kHealthPrefix = "/grpc.health.v1.Health/";
constexpr std::size_t kMaxRequestBytes = 4 << 10;

class Unpacker final : public grpc::experimental::Interceptor {
 public:
  void Intercept(
      grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_MESSAGE)) {
      Unpack(methods->GetRecvMessage());
    }
    methods->Proceed();
  }

 private:
  // The health service takes its requests as bytes.
  static void Unpack(void* message) {
    if (message == nullptr) return;
    auto& bytes = *static_cast<grpc::ByteBuffer*>(message);
    BinaryRequest request(bytes);
    if (request.Unpack(kMaxRequestBytes).ok()) bytes = request.bytes();
  }
};

class Factory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    const std::string_view method = info->method();
    if (method.substr(0, kHealthPrefix.size()) != kHealthPrefix) return nullptr;
    return new Unpacker;  // gRPC deletes it
  }
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
NewHealthRequestUnpacker() {
  return std::make_unique<Factory>();
}

}  // namespace tokenusage
