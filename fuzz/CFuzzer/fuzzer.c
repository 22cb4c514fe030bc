#include "kittson_fuzzer.h"

int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*input)(const uint8_t *, size_t));

int kt_fuzz(int count, char **arguments, int (*input)(const uint8_t *data, size_t size)) {
  return LLVMFuzzerRunDriver(&count, &arguments, input);
}
