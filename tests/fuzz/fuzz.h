/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_FUZZ_H
#define XVS_TESTS_FUZZ_H 1

/* What every fuzz target is made of. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The target, which libFuzzer calls with each input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process, which libFuzzer reports as a finding, unless `ok`. */
static inline void
require(bool ok)
{
    if (!ok) {
        __builtin_trap();
    }
}

#endif
