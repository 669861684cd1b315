// SPDX-License-Identifier: Apache-2.0

// Accepts a server's connections, hands them to gRPC, and closes those that
// exceed the limits.
//
//   auto guard = ConnectionGuard::Listen("127.0.0.1:8105", limits, events);
//   if (!guard.ok()) return guard.status();
//   interceptors.push_back((*guard)->NewInterceptorFactory());
//   builder.SetContextAllocator((*guard)->NewContextAllocator());
//   auto acceptor = builder.experimental().AddExternalConnectionAcceptor(
//       ExternalConnectionType::FROM_FD, credentials);
//   auto server = builder.BuildAndStart();
//   (*guard)->Start(std::move(acceptor));
//
// gRPC's own listener (1.51) never accepts again after accept() has failed once
// for lack of a descriptor, and bounds neither the number of connections nor
// the bytes of requests that never end.
//
// The guard keeps a duplicate of each connection's descriptor, to see how many
// bytes have arrived and to shut the connection down. An interceptor tells it
// how many of those bytes were in requests that have arrived in full; the
// difference is what gRPC holds for requests that have not.
//
// Calls take memory from when gRPC has read them until it is done with them,
// which may be long after their connection was closed. The context allocator
// counts them from the beginning. While there are many, the thread that reads
// them waits until the guard has looked at the connections, and closed those
// that have started too many: interceptors see calls too late, so channelz.h
// tells whose they are. Before it comes to that, connections are throttled:
// SO_RCVLOWAT, which a duplicate shares with gRPC's descriptor, keeps epoll
// from telling gRPC of their bytes.

#ifndef TOKENUSAGE_SERVICE_SERVER_CONNECTION_GUARD_H_
#define TOKENUSAGE_SERVICE_SERVER_CONNECTION_GUARD_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_interceptor.h"
#include "tokenusage/service/server/connection_handover.h"
#include "tokenusage/service/server/connection_limits.h"
#include "tokenusage/service/server/listening_sockets.h"

namespace tokenusage {

// Thread-safe.
class ConnectionGuard {
 public:
  // Called from the guard's thread; must not block.
  struct Events {
    // Called when connections cannot be accepted, for lack of descriptors or
    // memory, and when they can again.
    std::function<void(bool is_accepting)> on_accepting = [](bool) {};

    // Called with the number of open connections.
    std::function<void(int count)> on_count = [](int) {};

    // Called when a connection was closed because of the limits.
    std::function<void()> on_closed = [] {};

    // Called when a connection ended that had sent something, but no call: with
    // TLS, most likely because its handshake failed.
    std::function<void(const std::string& peer)> on_unused =
        [](const std::string&) {};
  };

  // Listens on `address`, a host:port. Connections wait until Start.
  //
  // Errors: UNAVAILABLE, as ListeningSockets::Bind.
  static absl::StatusOr<std::unique_ptr<ConnectionGuard>> Listen(
      const std::string& address, const ConnectionLimits& limits,
      Events events);

  // Stops the thread. gRPC closes the connections.
  ~ConnectionGuard();

  ConnectionGuard(const ConnectionGuard&) = delete;
  ConnectionGuard& operator=(const ConnectionGuard&) = delete;

  int port() const { return sockets_.port(); }

  // Starts accepting. Call it once, after gRPC's server has started.
  void Start(
      std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor);

  // Returns the interceptors and the allocator that tell the guard of the
  // server's calls; the allocator leaves the allocation to gRPC. The server
  // needs both. The guard must outlive the server.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
  NewInterceptorFactory();
  std::unique_ptr<grpc::ContextAllocator> NewContextAllocator();

  // Notes that a call of the connection with this peer, as
  // grpc::ServerContext::peer() has it, showed valid credentials.
  void OnIdentified(const std::string& peer);

  // Stops accepting, and closes idle connections a moment later, so that their
  // callers learn of the shutdown first. Returns when the listening sockets are
  // closed.
  void BeginDrain();

 private:
  struct Connection;
  class Call;
  class Factory;
  class Allocator;

  ConnectionGuard(ListeningSockets sockets, const ConnectionLimits& limits,
                  Events events);

  // Returns the connection with this peer; closed_ if there is none.
  std::shared_ptr<Connection> Find(const std::string& peer);
  void Wake();

  // Counts a call that gRPC has read. If there are many, waits until the guard
  // has looked at the connections.
  void OnCallRead();
  bool HasManyCalls() const;
  void AwaitLook();

  // The guard's thread, and what only it calls.
  void Run();
  void TakeEvents(int timeout_millis);
  void WatchListeners(bool watch);
  void Accept(int listener);
  // Returns a connection, sets `peer` and keeps a spare descriptor, or returns
  // -1 with errno.
  int AcceptOne(int listener, std::string* peer);
  void PauseAccepting(absl::Duration pause);
  // Returns the number of calls that no open connection counts: those of closed
  // connections, and those that no interceptor has seen yet.
  int UnattributedCalls() const;
  void Add(int fd, int listener, const std::string& peer);
  // Closes the oldest unidentified connection if there are too many. Returns
  // whether there is room for one more.
  bool MakeRoom();
  // Throttles and closes the connections that exceed the limits.
  void Look();
  // Adds the calls that gRPC has read and no interceptor has seen to `states`.
  void AddUnseenCalls(
      const std::vector<std::shared_ptr<Connection>>& connections,
      std::vector<ConnectionState>* states);
  void ReturnMemory(absl::Time now);
  ConnectionState StateOf(Connection* connection, absl::Time now) const;
  void CloseIdle(absl::Time now);
  void Close(const std::shared_ptr<Connection>& connection);
  void Forget(std::uint64_t id);

  const ConnectionLimits limits_;
  const Events events_;
  // Stands for closed connections: gRPC 1.83 may still start their calls.
  const std::shared_ptr<Connection> closed_;
  ListeningSockets sockets_;
  std::unique_ptr<ConnectionHandover> handover_;
  const int epoll_;
  const int wake_;
  std::atomic<int> live_calls_{0};        // that gRPC has read and not ended
  std::atomic<int> unseen_calls_{0};      // those that no interceptor has seen
  std::atomic<int> identified_calls_{0};  // those of identified connections
  // By channelz at the last look: live calls, and unary ones whose request has
  // not arrived.
  std::atomic<int> unfinished_calls_{0};
  std::atomic<bool> closing_{false};
  std::atomic<bool> draining_{false};

  // Used only by the guard's thread. Ordered from oldest to newest.
  std::map<std::uint64_t, std::shared_ptr<Connection>> connections_;
  std::uint64_t last_id_ = 0;
  int spare_ = -1;  // a descriptor that the next connection's duplicate takes
  bool is_accepting_ = true;
  bool is_listening_ = false;  // the listeners are watched
  absl::Time accept_again_ = absl::InfinitePast();
  absl::Time close_idle_ = absl::InfiniteFuture();
  absl::Time next_look_ = absl::InfinitePast();
  absl::Time last_excess_ = absl::InfinitePast();
  absl::Time next_trim_ = absl::InfiniteFuture();
  bool is_throttling_ = false;
  bool is_busy_ = false;  // look often

  std::mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<Connection>>
      by_peer_;  // guarded by mutex_
  std::condition_variable listeners_closed_;
  bool has_closed_listeners_ = false;  // guarded by mutex_
  std::condition_variable looked_;
  std::uint64_t last_wanted_look_ = 0;  // guarded by mutex_
  std::uint64_t last_look_ = 0;         // guarded by mutex_

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_CONNECTION_GUARD_H_
