// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/connection_guard.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

#include "absl/time/clock.h"
#include "grpcpp/support/byte_buffer.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/service/server/channelz.h"
#include "tokenusage/service/server/peer_name.h"

namespace tokenusage {
namespace {

// The intervals at which the guard looks at the connections: at rest, and while
// some are throttled, there are many calls, or they hold more than kBusyBytes
// of requests that have not arrived in full.
constexpr absl::Duration kLook = absl::Milliseconds(50);
constexpr absl::Duration kBusyLook = absl::Milliseconds(10);
constexpr std::int64_t kBusyBytes = 1 << 20;

// Once there are many calls, gRPC's threads wait for the guard to look at the
// connections after each further increase of this size: they read 100,000 calls
// a second.
constexpr int kCallsPerLook = 256;
// The longest that they wait, in case the guard has ended.
constexpr std::chrono::milliseconds kMaxWait(100);

// Once a connection has been silent for this long, with nothing left to read,
// interceptors have seen all of its calls.
constexpr absl::Duration kSilence = absl::Seconds(1);

// The number of connections that the guard accepts before it looks at all of
// them again.
constexpr int kConnectionsPerLook = 4;

// The time that the guard waits if a connection cannot be accepted.
constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);

// While connections are closed because of what they hold, and for a while
// after, the memory that gRPC has freed is returned to the system: malloc would
// keep it, and new connections would add to it.
constexpr absl::Duration kTrim = absl::Milliseconds(100);
constexpr absl::Duration kExcessTime = absl::Seconds(1);

// The time that idle connections have to learn that the server is shutting
// down.
constexpr absl::Duration kGoodbye = absl::Milliseconds(200);

// Bytes that a connection may receive outside of requests: the TLS handshake,
// settings and pings.
constexpr std::int64_t kBytesPerConnection = 32 << 10;
// The additional bytes of each call and message: frame headers, TLS records.
constexpr std::int64_t kBytesPerCall = 256;
constexpr std::int64_t kBytesPerMessage = 128;

// Ids of epoll events. Those of connections are the largest.
constexpr std::uint64_t kWakeEvent = 0;
constexpr std::uint64_t kFirstListenerEvent = 1;
constexpr std::uint64_t kFirstConnectionEvent = 1024;

constexpr std::string_view kServicePrefix =
    "/tokenusage.v1.UsageReportingService/";

void Watch(int epoll, int fd, std::uint32_t events, std::uint64_t id) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = id;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

// A connection. Its calls share it, as they may end after it was closed.
struct ConnectionGuard::Connection {
  Connection(std::uint64_t number, int duplicate, std::string name)
      : id(number), fd(duplicate), peer(std::move(name)) {}
  ~Connection() { close(fd); }

  // Ends the connection, and discards what gRPC has not read of it. No bytes
  // can follow the gap, as both directions are shut down before.
  void ShutDown() const {
    constexpr std::size_t kAll = 1 << 30;
    shutdown(fd, SHUT_RDWR);
    recv(fd, nullptr, kAll, MSG_TRUNC | MSG_DONTWAIT);
  }

  // Keeps epoll from telling gRPC of bytes, until there are megabytes of them.
  void Throttle(bool throttle) {
    if (throttle == std::exchange(is_throttled, throttle)) return;
    const int low_water = throttle ? std::numeric_limits<int>::max() : 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low_water, sizeof(low_water));
  }

  const std::uint64_t id;
  const int fd;
  const std::string peer;
  std::atomic<bool> is_identified{false};
  std::atomic<bool> has_called{false};
  std::atomic<int> live_calls{0};           // that an interceptor has seen
  std::atomic<std::int64_t> seen_calls{0};  // those that have ended included
  // The part of the received bytes that was in requests that arrived in full.
  std::atomic<std::int64_t> whole_bytes{kBytesPerConnection};

  // Used only by the guard's thread.
  bool is_throttled = false;
  std::int64_t received_bytes = 0;
  absl::Time last_received = absl::Now();
  std::intptr_t socket = 0;  // its number in channelz, once it is known
};

// Counts one call of a connection from when an interceptor sees it. It is in
// live_calls_ already; its end is subtracted here.
class ConnectionGuard::Call final : public grpc::experimental::Interceptor {
 public:
  Call(ConnectionGuard* guard, std::shared_ptr<Connection> connection,
       bool is_raw)
      : guard_(*guard),
        connection_(std::move(connection)),
        is_raw_(is_raw),
        is_identified_(connection_->is_identified) {
    if (is_identified_) ++guard_.identified_calls_;
    connection_->has_called = true;
    ++connection_->live_calls;
    ++connection_->seen_calls;
    --guard_.unseen_calls_;
  }
  ~Call() override {
    if (is_identified_) --guard_.identified_calls_;
    --connection_->live_calls;
    --guard_.live_calls_;
  }

  void Intercept(
      grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      std::int64_t bytes = kBytesPerCall;
      for (const auto& [key, value] : *methods->GetRecvInitialMetadata()) {
        bytes += static_cast<std::int64_t>(key.size() + value.size());
      }
      connection_->whole_bytes += bytes;
    }
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::POST_RECV_MESSAGE)) {
      connection_->whole_bytes += MessageBytes(methods->GetRecvMessage());
    }
    methods->Proceed();
  }

 private:
  // Estimates the message's size on the wire, with its frame headers.
  std::int64_t MessageBytes(const void* message) const {
    if (message == nullptr || !is_raw_) return kBytesPerMessage;
    const auto bytes = static_cast<std::int64_t>(
        static_cast<const grpc::ByteBuffer*>(message)->Length());
    return bytes + bytes / 128 + kBytesPerMessage;
  }

  ConnectionGuard& guard_;
  const std::shared_ptr<Connection> connection_;
  const bool is_raw_;
  const bool is_identified_;
};

class ConnectionGuard::Factory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(ConnectionGuard* guard) : guard_(guard) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    grpc::ServerContextBase* const context = info->server_context();
    // The allocator does not count calls of synchronous services, of which
    // gRPC's reflection is one.
    if (dynamic_cast<grpc::CallbackServerContext*>(context) == nullptr) {
      guard_->OnCallRead();
    }
    std::shared_ptr<Connection> connection = guard_->Find(context->peer());
    const bool is_raw =
        std::string_view(info->method()).substr(0, kServicePrefix.size()) ==
        kServicePrefix;
    return new Call(guard_, std::move(connection), is_raw);  // gRPC deletes it
  }

 private:
  ConnectionGuard* const guard_;
};

// Counts calls when gRPC has read them. `Call` subtracts them at their end.
class ConnectionGuard::Allocator final : public grpc::ContextAllocator {
 public:
  explicit Allocator(ConnectionGuard* guard) : guard_(*guard) {}

  grpc::CallbackServerContext* NewCallbackServerContext() override {
    guard_.OnCallRead();
    return nullptr;
  }
  grpc::GenericCallbackServerContext* NewGenericCallbackServerContext()
      override {
    guard_.OnCallRead();
    return nullptr;
  }

 private:
  ConnectionGuard& guard_;
};

absl::StatusOr<std::unique_ptr<ConnectionGuard>> ConnectionGuard::Listen(
    const std::string& address, const ConnectionLimits& limits, Events events) {
  TOKENUSAGE_ASSIGN_OR_RETURN(ListeningSockets sockets,
                              ListeningSockets::Bind(address));
  return std::unique_ptr<ConnectionGuard>(new ConnectionGuard(
      std::move(sockets), FitToDescriptors(limits), std::move(events)));
}

ConnectionGuard::ConnectionGuard(ListeningSockets sockets,
                                 const ConnectionLimits& limits, Events events)
    : limits_(limits),
      events_(std::move(events)),
      closed_(std::make_shared<Connection>(0, -1, "")),
      sockets_(std::move(sockets)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  Watch(epoll_, wake_, EPOLLIN, kWakeEvent);
}

ConnectionGuard::~ConnectionGuard() {
  closing_ = true;
  Wake();
  if (thread_.joinable()) thread_.join();
  handover_.reset();  // first: calls that its thread reads use the rest
  if (spare_ >= 0) close(spare_);
  close(wake_);
  close(epoll_);
}

void ConnectionGuard::Start(
    std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor) {
  handover_ = std::make_unique<ConnectionHandover>(std::move(acceptor));
  thread_ = std::thread([this] { Run(); });
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
ConnectionGuard::NewInterceptorFactory() {
  return std::make_unique<Factory>(this);
}

std::unique_ptr<grpc::ContextAllocator> ConnectionGuard::NewContextAllocator() {
  return std::make_unique<Allocator>(this);
}

void ConnectionGuard::OnIdentified(const std::string& peer) {
  Find(peer)->is_identified = true;
}

void ConnectionGuard::BeginDrain() {
  if (!thread_.joinable()) return;
  draining_ = true;
  Wake();
  std::unique_lock<std::mutex> lock(mutex_);
  listeners_closed_.wait(lock, [this] { return has_closed_listeners_; });
}

std::shared_ptr<ConnectionGuard::Connection> ConnectionGuard::Find(
    const std::string& peer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = by_peer_.find(peer);
  return found == by_peer_.end() ? closed_ : found->second;
}

void ConnectionGuard::Wake() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(wake_, &one, sizeof(one)));
}

void ConnectionGuard::OnCallRead() {
  ++unseen_calls_;
  if (++live_calls_ % kCallsPerLook == 0 && HasManyCalls()) AwaitLook();
}

bool ConnectionGuard::HasManyCalls() const {
  const int calls = std::max<int>(live_calls_, unfinished_calls_);
  return unseen_calls_ > limits_.max_live_calls ||
         calls - identified_calls_ > limits_.max_unidentified_calls ||
         calls > limits_.max_total_calls;
}

void ConnectionGuard::AwaitLook() {
  std::unique_lock<std::mutex> lock(mutex_);
  const std::uint64_t look = ++last_wanted_look_;
  Wake();
  looked_.wait_for(lock, kMaxWait, [&] { return last_look_ >= look; });
}

void ConnectionGuard::Run() {
  WatchListeners(true);
  while (!closing_) {
    const absl::Time now = absl::Now();
    if (draining_ && close_idle_ == absl::InfiniteFuture()) {
      WatchListeners(false);
      sockets_.Close();
      close_idle_ = now + kGoodbye;
      const std::lock_guard<std::mutex> lock(mutex_);
      has_closed_listeners_ = true;
      listeners_closed_.notify_all();
    }
    if (!draining_ && !is_listening_ && now >= accept_again_) {
      WatchListeners(true);
      // Even if nobody is waiting, accept() tells whether it works again.
      for (const int listener : sockets_.fds()) {
        if (is_listening_) Accept(listener);
      }
    }
    if (now >= next_look_) Look();
    if (now >= close_idle_) CloseIdle(now);
    const bool hurries = is_busy_ || draining_ || !is_listening_;
    TakeEvents(static_cast<int>(
        absl::ToInt64Milliseconds(hurries ? kBusyLook : kLook)));
  }
}

void ConnectionGuard::TakeEvents(int timeout_millis) {
  std::array<epoll_event, 64> events;
  // There is nothing to look at until a connection arrives.
  if (connections_.empty() && is_listening_) timeout_millis = -1;
  const int count = epoll_wait(epoll_, events.data(),
                               static_cast<int>(events.size()), timeout_millis);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t id = events[static_cast<std::size_t>(i)].data.u64;
    if (id == kWakeEvent) {
      std::uint64_t ignored = 0;
      static_cast<void>(!read(wake_, &ignored, sizeof(ignored)));
      next_look_ = absl::InfinitePast();
    } else if (id < kFirstConnectionEvent) {
      if (is_listening_) Accept(sockets_.fds()[id - kFirstListenerEvent]);
    } else {
      // Both directions are shut down: gRPC is done with it, or will be.
      const auto found = connections_.find(id);
      if (found == connections_.end()) continue;
      found->second->ShutDown();  // so gRPC does not read what nobody waits for
      if (!found->second->has_called && !draining_) {
        StateOf(found->second.get(), absl::Now());
        // The peer's end of the connection counts as a byte.
        if (found->second->received_bytes > 1) {
          events_.on_unused(found->second->peer);
        }
      }
      Forget(id);
    }
  }
}

void ConnectionGuard::WatchListeners(bool watch) {
  if (watch == is_listening_) return;
  is_listening_ = watch;
  for (std::size_t i = 0; i < sockets_.fds().size(); ++i) {
    if (watch) {
      Watch(epoll_, sockets_.fds()[i], EPOLLIN, kFirstListenerEvent + i);
    } else {
      epoll_ctl(epoll_, EPOLL_CTL_DEL, sockets_.fds()[i], nullptr);
    }
  }
}

void ConnectionGuard::PauseAccepting(absl::Duration pause) {
  WatchListeners(false);
  accept_again_ = absl::Now() + pause;
}

int ConnectionGuard::UnattributedCalls() const {
  int calls = live_calls_;
  for (const auto& [id, connection] : connections_) {
    calls -= connection->live_calls;
  }
  return calls;
}

void ConnectionGuard::Accept(int listener) {
  for (int i = 0; i < kConnectionsPerLook; ++i) {
    if (live_calls_ > limits_.max_live_calls &&
        UnattributedCalls() > limits_.max_live_calls) {
      return PauseAccepting(kBusyLook);
    }
    std::string peer;
    const int fd = AcceptOne(listener, &peer);
    if (fd >= 0) {
      if (!std::exchange(is_accepting_, true)) events_.on_accepting(true);
      Add(fd, listener, peer);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!std::exchange(is_accepting_, true)) events_.on_accepting(true);
      return;
    }
    // There is no free descriptor or memory: connections wait in the backlog.
    if (std::exchange(is_accepting_, false)) events_.on_accepting(false);
    return PauseAccepting(kAcceptPause);
  }
}

int ConnectionGuard::AcceptOne(int listener, std::string* peer) {
  // First, so that a connection for which there is only one descriptor waits in
  // the backlog, too.
  if (spare_ < 0) spare_ = fcntl(wake_, F_DUPFD_CLOEXEC, 0);
  if (spare_ < 0) return -1;
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  const int fd = accept4(listener, reinterpret_cast<sockaddr*>(&address), &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) *peer = PeerName(reinterpret_cast<sockaddr&>(address));
  return fd;
}

void ConnectionGuard::Add(int fd, int listener, const std::string& peer) {
  if (!MakeRoom()) {
    close(fd);
    events_.on_closed();
    return;
  }
  const int duplicate = std::exchange(spare_, -1);
  dup3(fd, duplicate, O_CLOEXEC);  // in its place, so it does not fail
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const std::uint64_t id = kFirstConnectionEvent + ++last_id_;
  auto connection = std::make_shared<Connection>(id, duplicate, peer);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    by_peer_[peer] = connection;
  }
  Watch(epoll_, duplicate, 0, id);  // EPOLLHUP is always reported
  connection->Throttle(is_throttling_);
  connections_.emplace(id, std::move(connection));
  events_.on_count(static_cast<int>(connections_.size()));
  handover_->Add(fd, listener);
  if (last_id_ % kConnectionsPerLook == 0) next_look_ = absl::InfinitePast();
}

bool ConnectionGuard::MakeRoom() {
  const bool is_full =
      connections_.size() >= static_cast<std::size_t>(limits_.max_connections);
  const std::shared_ptr<Connection>* oldest = nullptr;
  int unidentified = 0;
  for (const auto& [id, connection] : connections_) {
    if (connection->is_identified) continue;
    if (unidentified++ == 0) oldest = &connection;
  }
  if (!is_full && unidentified < limits_.max_unidentified) return true;
  if (oldest == nullptr) return false;
  Close(std::shared_ptr<Connection>(*oldest));
  return true;
}

void ConnectionGuard::Look() {
  const absl::Time now = absl::Now();
  std::uint64_t look = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    look = last_wanted_look_;
  }
  std::vector<std::shared_ptr<Connection>> connections;
  std::vector<ConnectionState> states;
  std::int64_t pending = 0;
  for (const auto& [id, connection] : connections_) {
    connections.push_back(connection);
    states.push_back(StateOf(connection.get(), now));
    pending += states.back().pending_bytes;
  }
  unfinished_calls_ = static_cast<int>(UnfinishedCalls());
  if (HasManyCalls()) AddUnseenCalls(connections, &states);
  const std::vector<bool> throttled =
      ConnectionsToThrottle(states, live_calls_, limits_);
  is_throttling_ = false;
  for (std::size_t i = 0; i < connections.size(); ++i) {
    connections[i]->Throttle(throttled[i]);
    is_throttling_ |= throttled[i];
  }
  for (const std::size_t i : ConnectionsToClose(states, limits_)) {
    Close(connections[i]);
  }
  if (now >= next_trim_) ReturnMemory(now);
  is_busy_ = is_throttling_ || pending > kBusyBytes ||
             unfinished_calls_ > limits_.max_live_calls;
  next_look_ = now + (is_busy_ ? kBusyLook : kLook);
  const std::lock_guard<std::mutex> lock(mutex_);
  last_look_ = look;
  looked_.notify_all();
}

void ConnectionGuard::AddUnseenCalls(
    const std::vector<std::shared_ptr<Connection>>& connections,
    std::vector<ConnectionState>* states) {
  absl::flat_hash_map<std::string, std::intptr_t> sockets;
  for (std::size_t i = 0; i < connections.size(); ++i) {
    Connection& connection = *connections[i];
    ConnectionState& state = (*states)[i];
    if (state.silence > kSilence) continue;
    if (connection.socket == 0) {
      if (sockets.empty()) sockets = ServerSockets();
      connection.socket = sockets[connection.peer];
    }
    const std::int64_t unseen =
        StartedStreams(connection.socket) - connection.seen_calls;
    state.live_calls += static_cast<int>(std::max<std::int64_t>(unseen, 0));
  }
}

void ConnectionGuard::ReturnMemory(absl::Time now) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  next_trim_ =
      now - last_excess_ < kExcessTime ? now + kTrim : absl::InfiniteFuture();
}

ConnectionState ConnectionGuard::StateOf(Connection* connection,
                                         absl::Time now) const {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &size);
  const auto received = static_cast<std::int64_t>(info.tcpi_bytes_received);
  if (received != connection->received_bytes) {
    connection->received_bytes = received;
    connection->last_received = now;
  }
  const std::int64_t pending = received - connection->whole_bytes;
  // Credit never exceeds the initial allowance.
  if (pending < -kBytesPerConnection) {
    connection->whole_bytes += pending + kBytesPerConnection;
  }
  ConnectionState state;
  ioctl(connection->fd, FIONREAD, &state.unread_bytes);
  if (state.unread_bytes > 0) connection->last_received = now;
  state.is_identified = connection->is_identified;
  state.live_calls = connection->live_calls;
  // Unread bytes are in the kernel, not in gRPC. They count while the
  // connection is throttled, because nothing else bounds them then.
  const int unread = connection->is_throttled ? 0 : state.unread_bytes;
  state.pending_bytes = std::max<std::int64_t>(pending - unread, 0);
  state.silence = now - connection->last_received;
  return state;
}

void ConnectionGuard::CloseIdle(absl::Time now) {
  std::vector<std::shared_ptr<Connection>> idle;
  for (const auto& [id, connection] : connections_) {
    const ConnectionState state = StateOf(connection.get(), now);
    // A request that has not arrived in full is not a call yet.
    const bool is_sending = state.pending_bytes + state.unread_bytes > 0 &&
                            state.silence < absl::Seconds(1);
    if (state.live_calls == 0 && !is_sending) idle.push_back(connection);
  }
  for (const auto& connection : idle) Close(connection);
}

void ConnectionGuard::Close(const std::shared_ptr<Connection>& connection) {
  connection->ShutDown();
  if (!draining_) {
    events_.on_closed();
    last_excess_ = absl::Now();
    next_trim_ = std::min(next_trim_, last_excess_ + kTrim);
  }
  Forget(connection->id);
}

void ConnectionGuard::Forget(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  epoll_ctl(epoll_, EPOLL_CTL_DEL, found->second->fd, nullptr);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto by_peer = by_peer_.find(found->second->peer);
    if (by_peer != by_peer_.end() && by_peer->second == found->second) {
      by_peer_.erase(by_peer);
    }
  }
  connections_.erase(found);
  events_.on_count(static_cast<int>(connections_.size()));
}

}  // namespace tokenusage
