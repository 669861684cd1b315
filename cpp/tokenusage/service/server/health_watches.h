// SPDX-License-Identifier: Apache-2.0

// The calls that watch the server's health, which would never end by themselves
// and so hold up its end.
//
//   auto watches = std::make_shared<HealthWatches>();
//   interceptors.push_back(watches->NewFactory());
//   ...
//   watches->CancelAll();

#ifndef TOKENUSAGE_SERVICE_SERVER_HEALTH_WATCHES_H_
#define TOKENUSAGE_SERVICE_SERVER_HEALTH_WATCHES_H_

#include <memory>
#include <mutex>
#include <set>

#include "grpcpp/server_context.h"
#include "grpcpp/support/server_interceptor.h"

namespace tokenusage {

// gRPC's health service has no means to end its watches. Thread-safe.
class HealthWatches : public std::enable_shared_from_this<HealthWatches> {
 public:
  // For one server, which it notes the watches of.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
  NewFactory();

  bool empty() const;

  // Ends the watches that are open with CANCELLED.
  void CancelAll();

 private:
  class Factory;
  class Watch;

  mutable std::mutex mutex_;
  std::set<grpc::ServerContextBase*> contexts_;  // guarded by mutex_
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_HEALTH_WATCHES_H_
