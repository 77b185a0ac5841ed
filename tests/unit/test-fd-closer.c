/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors closed by other threads: each is, once; one can wait for those of a key. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "os/fd-closer.h"
#include "os/thread.h"

#define N 200

/* Nobody has the other end of the pipe open any more. */
static bool
is_hung_up(int fd)
{
    char c;

    return read(fd, &c, 1) == 0;
}

static void
open_pipe(int fds[2])
{
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
}

static void
test_close(void **state)
{
    int in[N], fds[2];

    assert_true(fd_closer_wait(1, 0)); /* nothing to wait for, no thread yet */
    fd_closer_close(-1, 1);
    assert_true(fd_closer_wait(1, 0));
    for (unsigned round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            open_pipe(fds);
            in[i] = fds[0];
            fd_closer_close(fds[1], i % 10);
        }
        assert_true(fd_closer_wait(7, 5000));
        for (int i = 7; i < N; i += 10) {
            assert_true(is_hung_up(in[i]));
        }
        if (round == 1) {
            fd_closer_stop(); /* the rest is closed, too; and it starts anew after that */
            for (int i = 0; i < N; i++) {
                assert_true(is_hung_up(in[i]));
            }
        }
        for (int i = 0; i < 10; i++) {
            assert_true(fd_closer_wait(i, 5000));
        }
        for (int i = 0; i < N; i++) {
            assert_true(is_hung_up(in[i]));
            close(in[i]);
        }
    }
    fd_closer_stop();
    fd_closer_stop();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_close),
    };

    thread_adopt("");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
