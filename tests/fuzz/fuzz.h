/* fuzz.h: what each fuzz_NAME.c defines: the one function that libFuzzer (make fuzz) and driver.c (make check) call. Its
 * corpus is corpus/NAME/. It checks what must hold for any input and aborts where it does not: assert() is always on.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#undef NDEBUG
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
