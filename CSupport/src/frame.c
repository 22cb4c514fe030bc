// The frame of stacked registers while emitted code runs (kittson_translator.h).
#include "kittson_translator.h"

// Behind a call without an `alloc` a frame's registers may stand past the end that was checked, and code may name any
// of 96 registers whatever the frame's size.
#define SLACK 256

uint64_t *kt_place_frame(kt_cpu *cpu) {
  int64_t index = cpu->bof & (KT_RING_REGISTERS - 1);
  if (index < KT_RING_REGISTERS / 2) index += KT_RING_REGISTERS;
  uint64_t *place = cpu->ring + index;
  int64_t dirty = cpu->bof - cpu->store_position;
  if (dirty < 0) {
    cpu->frame_low = cpu->ring + 2 * KT_RING_REGISTERS;  // an incomplete frame: no return
  } else {
    cpu->frame_low = place - (dirty < index ? dirty : index);
  }
  if (cpu->frame_limit < cpu->bof) {
    cpu->frame_high = cpu->ring - 1;
  } else {
    int64_t room = cpu->frame_limit - cpu->bof, mapped = 2 * KT_RING_REGISTERS - SLACK - index;
    cpu->frame_high = place + (room < mapped ? room : mapped);
  }
  cpu->frame_base = place;
  return place;
}

void kt_sync_frame(kt_cpu *cpu, uint64_t *r15) {
  int64_t moved = r15 - cpu->frame_base;
  if (moved == 0) return;
  cpu->frame_base = r15;
  cpu->bof += moved;
  int64_t index = cpu->bof & (KT_RING_REGISTERS - 1);
  cpu->frame = cpu->ring + index;
  cpu->frame_nat = cpu->ring_nat + index;
}
