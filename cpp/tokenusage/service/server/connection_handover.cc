// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/server/connection_handover.h"

#include <unistd.h>

#include <utility>

namespace tokenusage {

ConnectionHandover::ConnectionHandover(
    std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor)
    : acceptor_(std::move(acceptor)), thread_([this] { Run(); }) {}

ConnectionHandover::~ConnectionHandover() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
  for (const Parameters& connection : waiting_) close(connection.fd);
}

void ConnectionHandover::Add(int fd, int listener) {
  Parameters connection;
  connection.listener_fd = listener;  // required since gRPC's EventEngine
  connection.fd = fd;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_.push_back(std::move(connection));
  }
  changed_.notify_one();
}

void ConnectionHandover::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (closing_) return;
    Parameters connection = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    acceptor_->HandleNewConnection(&connection);
    lock.lock();
  }
}

}  // namespace tokenusage
