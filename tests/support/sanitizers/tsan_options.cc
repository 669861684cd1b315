// SPDX-License-Identifier: Apache-2.0

// The default options of ThreadSanitizer. TSAN_OPTIONS in the environment
// overrides them.

extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_suppressions();

const char* __tsan_default_options() {
  return
      // Debian's gRPC, abseil and protobuf are not instrumented.
      "ignore_noninstrumented_modules=1"
      // A service that a test kills has no exit code that could fail the test.
      ":halt_on_error=1";
}

// Orderings that tsan_grpc.cc cannot show. Each frame of gRPC that is
// suppressed runs once, before or after everything else in its call.
// AddressSanitizer finds accesses to what such a frame has deleted.
const char* __tsan_default_suppressions() {
  return
      // The allocator of contexts is made before gRPC starts the threads that
      // call it. It writes to nothing but an atomic.
      "race:ConnectionGuard::Allocator::\n"
      // The end of a stream, with UsageStream::OnDone: the thread of the last
      // reaction passes it to gRPC's executor inside libgrpc.
      "race:ServerCallbackReaderWriterImpl::CallOnDone\n"
      // gRPC deletes its state of a call, which another thread made when the
      // call arrived. None of our code runs in it.
      "race:CallbackCallTag::ContinueRunAfterInterception()::{lambda\n";
}
