// SPDX-License-Identifier: Apache-2.0

// A FakeService behind gRPC, on a free loopback port.
//
//   FakeService service;
//   GrpcService server(&service);
//   options.servers = {server.address()};

#ifndef TOKENUSAGE_TESTS_CLIENT_SUPPORT_GRPC_SERVICE_H_
#define TOKENUSAGE_TESTS_CLIENT_SUPPORT_GRPC_SERVICE_H_

#include <memory>
#include <mutex>
#include <string>

#include "grpcpp/server.h"
#include "tests/client/support/fakes.h"
#include "tokenusage/v1/usage_reporting_service.grpc.pb.h"

namespace tokenusage::testing {

// Thread-safe, except that one thread at a time may start and stop it.
class GrpcService : public v1::UsageReportingService::Service {
 public:
  // Starts serving `service`, which must outlive this.
  explicit GrpcService(FakeService* service);
  ~GrpcService() override { Stop(); }

  // Returns host:port, the same after each start.
  std::string address() const;

  void Start();
  void Stop();  // breaks the calls in progress

  // Returns the metadata "authorization" of the last call.
  std::string authorization() const;

  grpc::Status ReportUsage(grpc::ServerContext* context,
                           const v1::ReportUsageRequest* request,
                           v1::ReportUsageResponse* response) override;

 private:
  FakeService* const service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  mutable std::mutex mutex_;
  std::string authorization_;  // guarded by mutex_
};

}  // namespace tokenusage::testing

#endif  // TOKENUSAGE_TESTS_CLIENT_SUPPORT_GRPC_SERVICE_H_
