// The guest images that the program carries (Guests/README.md).
#pragma once
#include <stddef.h>

/// The paravirtualised kernel, an ELF image, and its length in bytes.
const unsigned char *_Nonnull kt_guest_pvkernel(void);
size_t kt_guest_pvkernel_size(void);
