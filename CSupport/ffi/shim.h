// libffi's interface as Swift 6 can use it: the library's type descriptors are mutable C globals, which strict
// concurrency refuses, so they are reached through accessors.
#pragma once
#include <ffi.h>

static inline ffi_type *kt_ffi_type_void(void) { return &ffi_type_void; }
static inline ffi_type *kt_ffi_type_uint64(void) { return &ffi_type_uint64; }
static inline ffi_type *kt_ffi_type_pointer(void) { return &ffi_type_pointer; }
