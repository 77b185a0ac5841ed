/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_SHELL_H
#define XVS_TESTS_SHELL_H 1

/* Shell commands of tests that change network devices.  To be included after cmocka.h. */

#include <stdarg.h>
#include <stdlib.h>
#include "util/xalloc.h"

/* The test fails with the command. */
static inline void PRINTF_FORMAT(1, 2) run(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *cmd = xvasprintf(format, args);
    va_end(args);
    if (system(cmd)) {
        fail_msg("failed: %s", cmd);
    }
    free(cmd);
}

#endif
