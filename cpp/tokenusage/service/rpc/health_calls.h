// SPDX-License-Identifier: Apache-2.0

// Does for the calls of gRPC's health service what that service does not do
// itself: unpacks requests that are compressed with gzip, and ends the calls
// that watch the server's health, which would delay the shutdown.
//
//   HealthCalls calls;
//   interceptors.push_back(calls.NewInterceptorFactory());
//   ...
//   calls.CancelWatches();

#ifndef TOKENUSAGE_SERVICE_RPC_HEALTH_CALLS_H_
#define TOKENUSAGE_SERVICE_RPC_HEALTH_CALLS_H_

#include <memory>
#include <mutex>
#include <set>

#include "grpcpp/server_context.h"
#include "grpcpp/support/server_interceptor.h"

namespace tokenusage {

// Must outlive the server. Thread-safe.
class HealthCalls {
 public:
  // Returns a factory for a server with ApplyTransportLimits, which leaves
  // unpacking to the services. Requests that unpack to more than 4 KiB stay as
  // they are, which the health service refuses.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
  NewInterceptorFactory();

  bool has_watches() const;

  // Ends the open watches with CANCELLED.
  void CancelWatches();

 private:
  class Call;
  class Factory;

  mutable std::mutex mutex_;
  std::set<grpc::ServerContextBase*> watches_;  // guarded by mutex_
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_HEALTH_CALLS_H_
