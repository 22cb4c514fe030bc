// Embeds the committed guest images.
#include "guest_images.h"

#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char pvkernel[] = {
#embed "../pvkernel/pvkernel.elf"
};

const unsigned char *kt_guest_pvkernel(void) { return pvkernel; }
size_t kt_guest_pvkernel_size(void) { return sizeof pvkernel; }
