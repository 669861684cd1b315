// SPDX-License-Identifier: Apache-2.0

// Makes chosen system calls of a running process fail, and its clock jump.
// Preloaded into the service by tests/e2e/harness/faults.py, which writes
// the orders below into a file that both map:
//
//   LD_PRELOAD=libfault_injector.so TOKENUSAGE_FAULTS=/path/of/orders serve ...
//
// Only calls on files whose name contains "usage", but not "log", are counted:
// faults affect the database, but neither sockets nor logs.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

enum Call { kSync, kWrite, kTruncate, kCallCount };

// The same layout as Faults in faults.py: int64 each, in this order.
struct Orders {
  struct {
    std::atomic<std::int64_t> calls;  // the number of calls, counted here
    std::atomic<std::int64_t> first;  // the first of them to fail, from 1
    std::atomic<std::int64_t> last;   // the last of them to fail
    std::atomic<std::int64_t> error;  // with this errno
    std::atomic<std::int64_t>
        failed;  // the number of failed calls, counted here
  } call[kCallCount];
  std::atomic<std::int64_t> clock_offset_seconds;
};

Orders* MapOrders() {
  const char* path = std::getenv("TOKENUSAGE_FAULTS");
  const int file = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* memory = mmap(nullptr, sizeof(Orders), PROT_READ | PROT_WRITE,
                      MAP_SHARED, file, 0);
  close(file);
  return memory == MAP_FAILED ? nullptr : static_cast<Orders*>(memory);
}

Orders* TheOrders() {
  static Orders* const orders = MapOrders();
  return orders;
}

bool IsOfDatabase(int file) {
  char link[32];
  char path[4096];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
  const ssize_t size = readlink(link, path, sizeof(path) - 1);
  if (size < 0) return false;
  path[size] = '\0';
  const char* name = std::strrchr(path, '/');
  return name != nullptr && std::strstr(name, "usage") != nullptr &&
         std::strstr(name, "log") == nullptr;
}

// Returns whether this call must fail; if so, sets errno.
bool Fails(Call call, int file) {
  Orders* const orders = TheOrders();
  if (orders == nullptr || !IsOfDatabase(file)) return false;
  auto& order = orders->call[call];
  const std::int64_t number = ++order.calls;
  if (number < order.first || number > order.last) return false;
  ++order.failed;
  errno = static_cast<int>(order.error);
  return true;
}

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int fsync(int file) {
  static auto* const next = Next<int(int)>("fsync");
  return Fails(kSync, file) ? -1 : next(file);
}

int fdatasync(int file) {
  static auto* const next = Next<int(int)>("fdatasync");
  return Fails(kSync, file) ? -1 : next(file);
}

ssize_t pwrite64(int file, const void* data, size_t size, off64_t offset) {
  static auto* const next =
      Next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return Fails(kWrite, file) ? -1 : next(file, data, size, offset);
}

ssize_t write(int file, const void* data, size_t size) {
  static auto* const next = Next<ssize_t(int, const void*, size_t)>("write");
  return Fails(kWrite, file) ? -1 : next(file, data, size);
}

int ftruncate64(int file, off64_t size) {
  static auto* const next = Next<int(int, off64_t)>("ftruncate64");
  return Fails(kTruncate, file) ? -1 : next(file, size);
}

int clock_gettime(clockid_t clock, timespec* time) {
  static auto* const next = Next<int(clockid_t, timespec*)>("clock_gettime");
  const int result = next(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME && TheOrders() != nullptr) {
    time->tv_sec += TheOrders()->clock_offset_seconds;
  }
  return result;
}

}  // extern "C"
