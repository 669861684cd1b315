// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/http/http_connection.h"

#include <poll.h>

#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/asio/dispatch.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/core/string.hpp"
#include "boost/beast/core/tcp_stream.hpp"
#include "boost/beast/http/empty_body.hpp"
#include "boost/beast/http/error.hpp"
#include "boost/beast/http/parser.hpp"
#include "boost/beast/http/read.hpp"
#include "boost/beast/http/write.hpp"
#include "tokenusage/base/loopback.h"
#include "tokenusage/service/server/peer_name.h"
#include "tokenusage/service/tls/certificate_set.h"

namespace tokenusage {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using PlainStream = beast::tcp_stream;
using TlsStream = asio::ssl::stream<beast::tcp_stream>;

// The time for which a connection that is being closed may still send, and the
// bytes that are read from it: closing it earlier would lose the response in
// transit.
constexpr std::chrono::seconds kLingerTime(2);
constexpr std::size_t kLingerBytes = 1 << 20;

constexpr std::size_t kReadBytes = 64 << 10;

// The interval of checks on a connection that has sent more than its request.
constexpr std::chrono::milliseconds kWatchInterval(500);

// Returns the answer to bytes that are not HTTP/1.
HttpResponse NotHttp(const error_code& error) {
  HttpResponse response;
  response.route = "other";
  response.message.result(error == http::error::header_limit
                              ? http::status::request_header_fields_too_large
                              : http::status::bad_request);
  response.message.set(http::field::content_type, "text/plain");
  response.message.body() =
      absl::StrCat("expected HTTP/1.1: ", error.message(), "\n");
  return response;
}

// Deleted with the last of its handlers. Everything except the overrides runs
// on the stream's strand.
template <typename Stream>
class Connection final
    : public HttpConnection,
      public HttpExchange,
      public std::enable_shared_from_this<Connection<Stream>> {
 public:
  template <typename... Arguments>
  Connection(const HttpServerOptions& options, HttpRoutes* routes,
             const HttpConnectionEvents& events, Tcp::socket socket,
             Arguments&... arguments)
      : options_(options),
        routes_(*routes),
        events_(events),
        stream_(std::move(socket), arguments...),
        watch_timer_(stream_.get_executor()),
        buffer_(kReadBytes) {
    error_code error;
    const Tcp::endpoint peer = lowest().socket().remote_endpoint(error);
    peer_.name = PeerName(*peer.data());
    peer_.is_loopback = IsLoopbackHost(peer.address().to_string());
    lowest().socket().set_option(Tcp::no_delay(true), error);
  }

  ~Connection() override {
    SetPending(0);
    events_.on_closed(this);
  }

  void Start() override {
    asio::dispatch(stream_.get_executor(),
                   [self = this->shared_from_this()] { self->Open(); });
  }

  void Close() override {
    *cancelled_ = true;
    asio::post(stream_.get_executor(),
               [self = this->shared_from_this()] { self->lowest().close(); });
  }

  void Drain() override {
    asio::post(stream_.get_executor(), [self = this->shared_from_this()] {
      self->is_draining_ = true;
      if (self->state_.is_idle) self->lowest().close();
    });
  }

  const HttpPeer& peer() const override { return peer_; }
  HttpRequest& request() override { return request_; }
  std::function<bool()> is_cancelled() const override {
    return [cancelled = cancelled_] { return cancelled->load(); };
  }

  void Respond(HttpResponse response) override {
    asio::post(
        stream_.get_executor(),
        [self = this->shared_from_this(),
         response = std::make_shared<HttpResponse>(std::move(response))] {
          self->Write(std::move(*response), self->keep_alive_);
        });
  }

 private:
  static constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;

  // The service's hold on the connection. Once all leases are gone, the server
  // may be destroyed, so the connection itself is destroyed on the server's
  // threads.
  class Lease {
   public:
    explicit Lease(std::shared_ptr<Connection> connection)
        : connection_(std::move(connection)) {}
    ~Lease() {
      const HttpConnectionEvents& events = connection_->events_;
      {
        const auto executor = connection_->stream_.get_executor();
        asio::post(executor, [gone = std::move(connection_)] {});
      }
      events.on_answer();
    }

   private:
    std::shared_ptr<Connection> connection_;
  };

  beast::tcp_stream& lowest() {
    if constexpr (kIsTls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  void ExpireAfter(absl::Duration time) {
    lowest().expires_after(absl::ToChronoNanoseconds(time));
  }

  // Returns a handler that calls a member with the error.
  auto Then(void (Connection::*next)(const error_code&)) {
    return [self = this->shared_from_this(), next](const error_code& error,
                                                   std::size_t = 0) {
      ((*self).*next)(error);
    };
  }

  void Open() {
    if constexpr (kIsTls) {
      ExpireAfter(options_.limits.max_request_time);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              Then(&Connection::OnHandshake));
    } else {
      ReadHeader();
    }
  }

  void OnHandshake(const error_code& error) {
    if constexpr (kIsTls) {
      if (error) return options_.on_failed_handshake(peer_.name);
      X509* const certificate =
          SSL_get_peer_certificate(stream_.native_handle());
      if (certificate != nullptr) {
        peer_.certificate_names = CertificateNames(*certificate);
        X509_free(certificate);
      }
      ReadHeader();
    }
  }

  void ReadHeader() {
    parser_.emplace();
    parser_->header_limit(options_.limits.max_header_bytes);
    // Bodies are measured here, for an answer that says what is wrong.
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
    state_.idle_since_nanos = absl::GetCurrentTimeNanos();
    state_.is_idle = true;
    if (is_draining_) return lowest().close();
    // Covers the whole request: a byte that arrives does not extend it.
    ExpireAfter(options_.limits.max_request_time);
    http::async_read_header(stream_, buffer_, *parser_,
                            Then(&Connection::OnHeader));
  }

  void OnHeader(const error_code& error) {
    state_.is_idle = false;
    start_ = absl::Now();
    if (error) return OnReadError(error);
    auto refusal = routes_.CheckHeader(parser_->get().base(), peer_);
    const auto length = parser_->content_length();
    if (!refusal && length && *length > options_.limits.max_body_bytes) {
      refusal = HttpRoutes::RefuseBody(options_.limits.max_body_bytes, *length);
    }
    const bool has_no_body = parser_->is_done();
    if (refusal) {
      return Write(*std::move(refusal), has_no_body && parser_->keep_alive());
    }
    if (has_no_body) return Handle();
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
      return SendContinue();
    }
    ReadBody();
  }

  void SendContinue() {
    auto response = std::make_shared<http::response<http::empty_body>>(
        http::status::continue_, 11);
    http::async_write(stream_, *response,
                      [self = this->shared_from_this(), response](
                          const error_code& error, std::size_t) {
                        if (!error) self->ReadBody();
                      });
  }

  void ReadBody() {
    http::async_read_some(stream_, buffer_, *parser_,
                          Then(&Connection::OnBody));
  }

  void OnBody(const error_code& error) {
    if (error) return OnReadError(error);
    const std::size_t bytes = parser_->get().body().size();
    if (bytes > options_.limits.max_body_bytes) {
      SetPending(0);
      return Write(
          HttpRoutes::RefuseBody(options_.limits.max_body_bytes, bytes), false);
    }
    if (parser_->is_done()) return Handle();
    SetPending(static_cast<std::int64_t>(bytes));
    ReadBody();
  }

  void OnReadError(const error_code& error) {
    // Errors of the parser are worth an answer; the others mean that nobody
    // reads it.
    if (error.category() ==
            make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream &&
        error != http::error::partial_message) {
      return Write(NotHttp(error), false);
    }
    if (error == http::error::end_of_stream) Shutdown();
  }

  void Handle() {
    SetPending(0);
    request_ = parser_->release();
    keep_alive_ = request_.keep_alive();
    lowest().expires_never();
    // One for the service, one for the response.
    events_.on_call();
    events_.on_call();
    is_answering_ = true;
    lowest().socket().async_wait(Tcp::socket::wait_read, PeerCheck());
    auto lease = std::make_shared<Lease>(this->shared_from_this());
    routes_.Handle(std::shared_ptr<HttpExchange>(std::move(lease), this));
  }

  // Returns a handler that checks whether the peer has disconnected. It does
  // not keep the connection alive: a peer may be silent for a long time.
  auto PeerCheck() {
    return [weak = this->weak_from_this()](const error_code& error) {
      const auto self = weak.lock();
      if (!error && self != nullptr && self->is_answering_) self->CheckPeer();
    };
  }

  // Cancels the request if the peer has disconnected.
  void CheckPeer() {
    if (HasPeerDisconnected()) {
      *cancelled_ = true;
      return;
    }
    // Unread data would end another wait at once: look again later instead.
    watch_timer_.expires_after(kWatchInterval);
    watch_timer_.async_wait(PeerCheck());
  }

  // Also returns true for a peer that only stops sending: the two look the
  // same.
  bool HasPeerDisconnected() {
    pollfd peer = {lowest().socket().native_handle(), POLLRDHUP, 0};
    return poll(&peer, 1, 0) > 0;
  }

  void Write(HttpResponse response, bool keep_alive) {
    keep_alive_ = keep_alive && !is_draining_;
    response_ = std::move(response);
    options_.on_response(response_.route,
                         static_cast<int>(response_.message.result_int()),
                         absl::Now() - start_);
    response_.message.keep_alive(keep_alive_);
    if (response_.message.count(http::field::content_length) == 0) {
      response_.message.prepare_payload();
    }
    ExpireAfter(options_.limits.max_answer_time);
    http::async_write(stream_, response_.message, Then(&Connection::OnWritten));
  }

  void OnWritten(const error_code& error) {
    response_ = HttpResponse();
    if (std::exchange(is_answering_, false)) events_.on_answer();
    if (error && error != http::error::end_of_stream) return;
    if (!keep_alive_) return Shutdown();
    ReadHeader();
  }

  // Closes the connection in an orderly way: the peer gets what was written.
  void Shutdown() {
    lowest().expires_after(kLingerTime);
    if constexpr (kIsTls) {
      stream_.async_shutdown(Then(&Connection::OnShutdown));
    } else {
      OnShutdown({});
    }
  }

  void OnShutdown(const error_code&) {
    error_code ignored;
    lowest().socket().shutdown(Tcp::socket::shutdown_send, ignored);
    Linger();
  }

  void Linger() {
    lowest().async_read_some(asio::buffer(scratch_),
                             [self = this->shared_from_this()](
                                 const error_code& error, std::size_t bytes) {
                               self->lingered_ += bytes;
                               if (!error && self->lingered_ < kLingerBytes)
                                 self->Linger();
                             });
  }

  void SetPending(std::int64_t bytes) {
    const std::int64_t before = state_.pending_bytes.exchange(bytes);
    if (bytes != before) events_.on_pending(bytes - before);
  }

  const HttpServerOptions& options_;
  HttpRoutes& routes_;
  const HttpConnectionEvents& events_;
  HttpPeer peer_;
  Stream stream_;
  asio::steady_timer watch_timer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpRequest request_;
  HttpResponse response_;
  absl::Time start_;
  bool keep_alive_ = false;
  bool is_draining_ = false;
  bool is_answering_ = false;  // the service has a request
  const std::shared_ptr<std::atomic<bool>> cancelled_ =
      std::make_shared<std::atomic<bool>>(false);
  std::array<char, 4096> scratch_;
  std::size_t lingered_ = 0;
};

}  // namespace

std::shared_ptr<HttpConnection> NewHttpConnection(
    Tcp::socket socket, const std::shared_ptr<SSL_CTX>& tls,
    const HttpServerOptions& options, HttpRoutes* routes,
    const HttpConnectionEvents& events) {
  if (tls == nullptr) {
    return std::make_shared<Connection<PlainStream>>(options, routes, events,
                                                     std::move(socket));
  }
  SSL_CTX_up_ref(tls.get());
  asio::ssl::context context(tls.get());  // frees its reference
  return std::make_shared<Connection<TlsStream>>(options, routes, events,
                                                 std::move(socket), context);
}

}  // namespace tokenusage
