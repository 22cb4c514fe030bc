// libFuzzer's driver. SwiftPM renames a program's main, and libFuzzer's own main with it; so each target has one that
// calls the driver.
#ifndef KITTSON_FUZZER_H
#define KITTSON_FUZZER_H
#include <stddef.h>
#include <stdint.h>

int kt_fuzz(int count, char **arguments, int (*input)(const uint8_t *data, size_t size));

#endif
