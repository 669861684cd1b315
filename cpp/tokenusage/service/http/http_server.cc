// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/http/http_server.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/strand.hpp"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/service/http/http_connection.h"
#include "tokenusage/service/http/http_routes.h"
#include "tokenusage/service/server/connection_limits.h"
#include "tokenusage/service/server/listen_address.h"
#include "tokenusage/service/server/listening_sockets.h"

namespace tokenusage {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

// The time that the server waits if a connection cannot be accepted, for lack
// of descriptors or memory.
constexpr std::chrono::milliseconds kAcceptPause(100);

}  // namespace

class HttpServer::Impl {
 public:
  Impl(UsageReportingServiceImpl* service, HttpServerOptions options,
       ListeningSockets sockets)
      : options_(std::move(options)),
        sockets_(std::move(sockets)),
        routes_(options_, service),
        context_(options_.limits.threads),
        work_(context_.get_executor()) {
    events_.on_pending = [this](std::int64_t bytes) { OnPending(bytes); };
    events_.on_call = [this] { ++calls_; };
    events_.on_answer = [this] { OnAnswer(); };
    events_.on_closed = [this](HttpConnection* connection) {
      const std::lock_guard<std::mutex> lock(mutex_);
      connections_.erase(connection);
    };
    for (const int fd : sockets_.fds()) Listen(fd);
    for (int i = 0; i < options_.limits.threads; ++i) {
      threads_.emplace_back([this] { context_.run(); });
    }
  }

  ~Impl() {
    Shutdown(absl::InfinitePast());
    work_.reset();
    context_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  int port() const { return sockets_.port(); }

  void BeginDrain() {
    routes_.BeginDrain();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (std::exchange(is_draining_, true)) return;
    }
    sockets_.Close();
    for (Listener& listener : listeners_) {
      asio::post(listener.acceptor.get_executor(), [&listener] {
        error_code ignored;
        listener.acceptor.close(ignored);
      });
    }
    for (const auto& connection : Open()) connection->Drain();
  }

  void Shutdown(absl::Time deadline) {
    BeginDrain();
    AwaitAnswers(deadline);
    for (const auto& connection : Open()) connection->Close();
    AwaitAnswers(absl::InfiniteFuture());
  }

 private:
  struct Listener {
    explicit Listener(const asio::strand<asio::io_context::executor_type>& s)
        : acceptor(s), pause(s) {}

    Tcp::acceptor acceptor;
    asio::steady_timer pause;
    bool is_accepting = true;
  };

  void Listen(int fd) {
    sockaddr_storage address = {};
    socklen_t size = sizeof(address);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    Listener& listener = listeners_.emplace_back(asio::make_strand(context_));
    error_code error;
    listener.acceptor.assign(
        address.ss_family == AF_INET6 ? Tcp::v6() : Tcp::v4(), dup(fd), error);
    if (!error) listener.acceptor.non_blocking(true, error);
    if (!error) Await(&listener);
  }

  void Await(Listener* listener) {
    listener->acceptor.async_wait(
        Tcp::acceptor::wait_read,
        [this, listener](const error_code&) { Accept(listener); });
  }

  // Accepts a connection if there is one. Called on the listener's strand.
  void Accept(Listener* listener) {
    if (!listener->acceptor.is_open()) return;
    Tcp::socket socket(asio::make_strand(context_));
    error_code error;
    listener->acceptor.accept(socket, error);
    // Even if nobody is waiting, accept() tells whether there is a descriptor.
    const bool is_accepting = !error || error == asio::error::would_block;
    if (std::exchange(listener->is_accepting, is_accepting) != is_accepting) {
      options_.on_accepting(is_accepting);
    }
    if (!error) Add(std::move(socket));
    if (is_accepting) return Await(listener);
    listener->pause.expires_after(kAcceptPause);
    listener->pause.async_wait(
        [this, listener](const error_code&) { Accept(listener); });
  }

  void Add(Tcp::socket socket) {
    if (!MakeRoom()) return;
    std::shared_ptr<SSL_CTX> tls;
    if (options_.tls != nullptr) {
      tls = options_.tls->tls_context();
      if (tls == nullptr) return;
    }
    const auto connection =
        NewHttpConnection(std::move(socket), tls, options_, &routes_, events_);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      connections_.emplace(connection.get(), connection);
      if (is_draining_) return;
    }
    connection->Start();
  }

  // Closes the connection that has been idle for longest if there are as many
  // as the limit. Returns whether there is room for one more.
  bool MakeRoom() {
    const auto limit =
        static_cast<std::size_t>(options_.limits.max_connections);
    const auto open = Open();
    if (open.size() < limit) return true;
    // Those that are being closed are still there, for a moment.
    if (open.size() > limit + limit / 8) return false;
    std::shared_ptr<HttpConnection> oldest;
    for (const auto& connection : open) {
      const HttpConnection::State& state = connection->state();
      if (state.is_idle &&
          (oldest == nullptr ||
           state.idle_since_nanos < oldest->state().idle_since_nanos)) {
        oldest = connection;
      }
    }
    if (oldest == nullptr) return false;
    oldest->Close();
    return true;
  }

  // Closes the connection that holds most if all together hold too much.
  void OnPending(std::int64_t bytes) {
    if ((pending_bytes_ += bytes) <= options_.limits.max_pending_bytes) return;
    std::shared_ptr<HttpConnection> largest;
    for (const auto& connection : Open()) {
      if (largest == nullptr ||
          largest->state().pending_bytes < connection->state().pending_bytes) {
        largest = connection;
      }
    }
    if (largest != nullptr) largest->Close();
  }

  void OnAnswer() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--calls_ == 0) answered_.notify_all();
  }

  void AwaitAnswers(absl::Time deadline) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto is_done = [this] { return calls_ == 0; };
    if (deadline == absl::InfiniteFuture())
      return answered_.wait(lock, is_done);
    answered_.wait_until(lock, absl::ToChronoTime(deadline), is_done);
  }

  // Returns the open connections. Must not be called with mutex_ held: the list
  // may destroy connections, and on_closed locks mutex_.
  std::vector<std::shared_ptr<HttpConnection>> Open() {
    std::vector<std::shared_ptr<HttpConnection>> open;
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [pointer, weak] : connections_) {
      if (auto connection = weak.lock()) open.push_back(std::move(connection));
    }
    return open;
  }

  const HttpServerOptions options_;
  ListeningSockets sockets_;
  HttpRoutes routes_;
  HttpConnectionEvents events_;
  std::atomic<std::int64_t> pending_bytes_{0};
  std::atomic<int> calls_{0};

  std::mutex mutex_;
  std::condition_variable answered_;
  bool is_draining_ = false;  // guarded by mutex_, as is connections_
  std::unordered_map<HttpConnection*, std::weak_ptr<HttpConnection>>
      connections_;

  // Last: its handlers use the members above.
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::list<Listener> listeners_;
  std::vector<std::thread> threads_;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    UsageReportingServiceImpl* service, HttpServerOptions options) {
  TOKENUSAGE_RETURN_IF_ERROR(CheckAddress(options.address));
  // Descriptors are shared with gRPC.
  ConnectionLimits limits;
  limits.other_connections = options.limits.max_connections;
  options.limits.max_connections = FitToDescriptors(limits).other_connections;
  TOKENUSAGE_ASSIGN_OR_RETURN(ListeningSockets sockets,
                              ListeningSockets::Bind(options.address));
  return std::unique_ptr<HttpServer>(new HttpServer(
      std::make_unique<Impl>(service, std::move(options), std::move(sockets))));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

int HttpServer::port() const { return impl_->port(); }

void HttpServer::BeginDrain() { impl_->BeginDrain(); }

void HttpServer::Shutdown(absl::Time deadline) { impl_->Shutdown(deadline); }

}  // namespace tokenusage
