// Double mappings of one memory object (kittson_ring.h).
#define _GNU_SOURCE
#include "kittson_ring.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int memory_object(const char *name, size_t size) {
  int fd = memfd_create(name, MFD_CLOEXEC);
  if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) { close(fd); fd = -1; }
  return fd;
}

static int map_pair(uint8_t *base, size_t size, int fd) {
  for (int i = 0; i < 2; i++) {
    if (mmap(base + (size_t)i * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) return -1;
  }
  return 0;
}

void *kt_map_twice(size_t size) {
  int fd = memory_object("kittson-ring", size);
  if (fd < 0) return NULL;
  // Aligned to twice the size, so that a pointer into the ring can be wrapped with one bit operation.
  uint8_t *area = mmap(NULL, 4 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (area == MAP_FAILED) { close(fd); return NULL; }
  uint8_t *base = (uint8_t *)(((uintptr_t)area + 2 * size - 1) & ~(uintptr_t)(2 * size - 1));
  if (base > area) munmap(area, (size_t)(base - area));
  munmap(base + 2 * size, (size_t)(area + 4 * size - (base + 2 * size)));
  int result = map_pair(base, size, fd);
  close(fd);
  if (result != 0) { munmap(base, 2 * size); return NULL; }
  return base;
}

int kt_renew_twice(void *memory, size_t size, const void *copy) {
  int fd = memory_object("kittson-ring", size);
  if (fd < 0) return -1;
  int result = map_pair(memory, size, fd);
  close(fd);
  if (result == 0) memcpy(memory, copy, size);
  return result;
}

void kt_unmap_twice(void *memory, size_t size) { munmap(memory, 2 * size); }

// Emitted code reaches our own functions by call rel32 where it lies within 2 GiB of them. Below the program there is
// room as a rule; above it the heap grows.
static void *map_near_program(size_t size, int fd) {
  const size_t step = (size_t)64 << 20, reach = ((size_t)2 << 30) - step;
  const uintptr_t program = (uintptr_t)&kt_map_code & ~(step - 1);
  for (size_t distance = (size + step - 1) & ~(step - 1); distance <= reach && distance < program; distance += step) {
    void *wanted = (void *)(program - distance);
    void *found = mmap(wanted, size, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
    if (found == wanted) return found;
    if (found != MAP_FAILED) munmap(found, size);  // a kernel that takes the address as a hint only
  }
  return mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
}

int kt_map_code(size_t size, kt_code_memory *memory) {
  int fd = memory_object("kittson-code", size);
  if (fd < 0) return -1;
  memory->writable = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  memory->executable = map_near_program(size, fd);
  memory->size = size;
  close(fd);
  if (memory->writable != MAP_FAILED && memory->executable != MAP_FAILED) return 0;
  kt_unmap_code(memory);
  return -1;
}

void kt_unmap_code(kt_code_memory *memory) {
  if (memory->writable != MAP_FAILED) munmap(memory->writable, memory->size);
  if (memory->executable != MAP_FAILED) munmap(memory->executable, memory->size);
}
