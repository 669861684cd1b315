// SPDX-License-Identifier: Apache-2.0

// One request over HTTP and its response, for the code between connections and
// the service.

#ifndef TOKENUSAGE_SERVICE_HTTP_HTTP_EXCHANGE_H_
#define TOKENUSAGE_SERVICE_HTTP_HTTP_EXCHANGE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "boost/beast/http/message.hpp"
#include "boost/beast/http/string_body.hpp"

namespace tokenusage {

using HttpRequest =
    boost::beast::http::request<boost::beast::http::string_body>;
using HttpHeader = HttpRequest::header_type;

// A response that is ready to be sent, except for Content-Length and
// Connection.
struct HttpResponse {
  boost::beast::http::response<boost::beast::http::string_body> message;
  std::shared_ptr<void> held;  // kept until the response is written
  std::string_view route;      // for metrics: a static path, or "other"
};

// The other end of a connection.
struct HttpPeer {
  std::string name;  // as in CallOrigin
  bool is_loopback = false;
  std::optional<std::vector<std::string>> certificate_names;
};

class HttpExchange {
 public:
  virtual ~HttpExchange() = default;

  virtual const HttpPeer& peer() const = 0;

  // Not thread-safe: only the exchange's owner may change the request.
  virtual HttpRequest& request() = 0;

  // Returns a function that tells whether nobody waits for the response any
  // more. It may be called at any time, on any thread.
  virtual std::function<bool()> is_cancelled() const = 0;

  // Sends the response. Call it once, on any thread, then drop the exchange.
  virtual void Respond(HttpResponse response) = 0;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_HTTP_HTTP_EXCHANGE_H_
