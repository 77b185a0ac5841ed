/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors on their way to close(), and the threads that call it.  Main hands them over; it
 * knows nothing of what they are.  A job is in one of two lists, both under `lock`. */

#include "os/fd-closer.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <urcu/list.h>

#include "os/rcu.h"
#include "os/thread.h"
#include "util/xalloc.h"

#define MAX_THREADS 8u
#define MAX_QUEUED 4096u

struct job {
    struct cds_list_head node;
    int fd, key;
};

static struct mutex lock = MUTEX_INIT;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER; /* queued, or stop */
static pthread_cond_t closed;                          /* monotonic clock */
static CDS_LIST_HEAD(queued);
static CDS_LIST_HEAD(closing);
static unsigned n_queued, n_idle;
static bool stop;
/* Main's. */
static pthread_t threads[MAX_THREADS];
static unsigned n_threads;

/* The next job, moved to `closing`; NULL: stop. */
static struct job *
job_take(void) NO_THREAD_SAFETY
{
    struct job *job = NULL;

    mutex_lock(&lock);
    n_idle++;
    while (cds_list_empty(&queued) && !stop) {
        pthread_cond_wait(&work, &lock.m);
    }
    n_idle--;
    if (!cds_list_empty(&queued)) {
        job = cds_list_first_entry(&queued, struct job, node);
        n_queued--;
        cds_list_move(&job->node, &closing);
    }
    mutex_unlock(&lock);
    return job;
}

static void *
closer_main(void *unused)
{
    struct job *job;

    rcu_thread_offline();
    while ((job = job_take()) != NULL) {
        close(job->fd);
        mutex_lock(&lock);
        cds_list_del(&job->node);
        pthread_cond_broadcast(&closed);
        mutex_unlock(&lock);
        free(job);
    }
    return NULL;
}

static void
start_thread(void)
{
    if (!n_threads) {
        pthread_condattr_t attr;

        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&closed, &attr);
        pthread_condattr_destroy(&attr);
        stop = false;
    }
    threads[n_threads++] = thread_start("closer", closer_main, NULL);
}

void
fd_closer_close(int fd, int key)
{
    struct job *job;
    bool busy;

    if (fd < 0) {
        return;
    }
    mutex_lock(&lock);
    if (n_queued >= MAX_QUEUED) {
        mutex_unlock(&lock);
        close(fd);
        return;
    }
    job = xzalloc(sizeof *job);
    job->fd = fd;
    job->key = key;
    cds_list_add_tail(&job->node, &queued);
    n_queued++;
    busy = n_queued > n_idle;
    pthread_cond_signal(&work);
    mutex_unlock(&lock);
    if (busy && n_threads < MAX_THREADS) {
        start_thread();
    }
}

static bool
is_open__(int key) REQUIRES(lock)
{
    struct cds_list_head *const lists[] = {&queued, &closing};
    const struct job *job;

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        cds_list_for_each_entry(job, lists[i], node)
        {
            if (job->key == key) {
                return true;
            }
        }
    }
    return false;
}

/* Who is waited for goes first. */
static void
advance__(int key) REQUIRES(lock)
{
    struct job *job, *next;

    cds_list_for_each_entry_safe(job, next, &queued, node)
    {
        if (job->key == key) {
            cds_list_move(&job->node, &queued);
        }
    }
}

bool
fd_closer_wait(int key, unsigned timeout_ms) NO_THREAD_SAFETY
{
    bool online = thread_is_registered() && rcu_read_ongoing();
    struct timespec until;
    bool open;
    int error = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    if (online) {
        rcu_thread_offline();
    }
    mutex_lock(&lock);
    advance__(key);
    while ((open = is_open__(key)) && !error) {
        error = pthread_cond_timedwait(&closed, &lock.m, &until);
    }
    mutex_unlock(&lock);
    if (online) {
        rcu_thread_online();
    }
    return !open;
}

void
fd_closer_stop(void)
{
    mutex_lock(&lock);
    stop = true;
    pthread_cond_broadcast(&work);
    mutex_unlock(&lock);
    while (n_threads) {
        thread_join(threads[--n_threads]);
    }
}
