// SPDX-License-Identifier: Apache-2.0

// Shows ThreadSanitizer how gRPC orders threads. Debian's gRPC is not
// instrumented, so that its locks and atomics are not seen, and every object
// that one thread hands to another by way of a completion queue would be
// reported.
//
// What gRPC promises: what a thread did before it started an operation happens
// before whatever another thread does after it took the operation's tag from a
// completion queue. Servers with callbacks do so, too, in threads of
// libgrpc++. Only that is said here, for each tag by itself: races between
// callbacks that gRPC does not order are still found.
//
// These functions take the place of libgrpc's, and call them.

#include <dlfcn.h>
#include <grpc/grpc.h>
#include <sanitizer/tsan_interface.h>

#include <cstddef>

namespace {

template <typename Function>
Function* Next(Function*, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

grpc_event Taken(grpc_event event) {
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

}  // namespace

extern "C" {

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops,
                                      std::size_t nops, void* tag,
                                      void* reserved) {
  static auto* const next =
      Next(&grpc_call_start_batch, "grpc_call_start_batch");
  __tsan_release(tag);
  return next(call, ops, nops, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue,
                                      gpr_timespec deadline, void* reserved) {
  static auto* const next =
      Next(&grpc_completion_queue_next, "grpc_completion_queue_next");
  return Taken(next(queue, deadline, reserved));
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  static auto* const next =
      Next(&grpc_completion_queue_pluck, "grpc_completion_queue_pluck");
  return Taken(next(queue, tag, deadline, reserved));
}

}  // extern "C"
