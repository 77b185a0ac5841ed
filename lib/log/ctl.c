/* SPDX-License-Identifier: Apache-2.0 */
/* Registry and dispatch of control commands, and the commands that belong to nobody else:
 * list-commands, version, memory/show.  Main thread; knows nothing of the transport. */

#include "log/ctl.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "util/strbuf.h"
#include "util/version.h"
#include "util/xalloc.h"

struct command {
    const char *name;
    const char *usage;
    int min_args;
    int max_args;
    ctl_handler *handler;
    void *aux;
    UT_hash_handle hh;
};

static struct command *commands;

void
ctl_command_register(const char *name, const char *usage, int min_args, int max_args,
                     ctl_handler *handler, void *aux)
{
    struct command *c;

    HASH_FIND_STR(commands, name, c);
    if (!c) {
        c = xzalloc(sizeof *c);
        c->name = name;
        HASH_ADD_KEYPTR(hh, commands, c->name, strlen(c->name), c);
    }
    c->usage = usage;
    c->min_args = min_args;
    c->max_args = max_args;
    c->handler = handler;
    c->aux = aux;
}

void
ctl_reply(struct ctl_conn *conn, const char *text)
{
    conn->reply(conn, true, text);
}

void
ctl_reply_error(struct ctl_conn *conn, const char *text)
{
    conn->reply(conn, false, text);
}

static void
reply_va(struct ctl_conn *conn, bool ok, const char *format, va_list args)
{
    char *text = xvasprintf(format, args);

    conn->reply(conn, ok, text);
    free(text);
}

void
ctl_replyf(struct ctl_conn *conn, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    reply_va(conn, true, format, args);
    va_end(args);
}

void
ctl_reply_errorf(struct ctl_conn *conn, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    reply_va(conn, false, format, args);
    va_end(args);
}

void
ctl_dispatch(struct ctl_conn *conn, int argc, const char *const argv[])
{
    struct command *c = NULL;

    if (argc > 0) {
        HASH_FIND_STR(commands, argv[0], c);
    }
    if (!c) {
        ctl_reply_errorf(conn,
                         "\"%s\" is not a valid command (use \"list-commands\" to see a list "
                         "of valid commands)",
                         argc > 0 ? argv[0] : "");
    } else if (argc - 1 < c->min_args) {
        ctl_reply_errorf(conn, "\"%s\" command requires at least %d arguments", c->name,
                         c->min_args);
    } else if (argc - 1 > c->max_args) {
        ctl_reply_errorf(conn, "\"%s\" command takes at most %d arguments", c->name,
                         c->max_args);
    } else {
        c->handler(conn, argc, argv, c->aux);
    }
}

static int
compare_commands(const struct command *a, const struct command *b)
{
    return strcmp(a->name, b->name);
}

static void
cmd_list_commands(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf out = STRBUF_INIT;
    struct command *c;

    HASH_SORT(commands, compare_commands);
    strbuf_puts(&out, "The available commands are:\n");
    for (c = commands; c; c = c->hh.next) {
        strbuf_putf(&out, "  %-23s %s\n", c->name, c->usage);
    }
    ctl_reply(conn, strbuf_cstr(&out));
    strbuf_free(&out);
}

static void
cmd_version(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    ctl_replyf(conn, "%s\n", version_line());
}

void
ctl_base_commands_register(void)
{
    ctl_command_register("list-commands", "", 0, 0, cmd_list_commands, NULL);
    ctl_command_register("version", "", 0, 0, cmd_version, NULL);
}

struct memory_item {
    char *name;
    unsigned long long count;
};

struct memory_report {
    struct memory_item *items;
    size_t n;
};

struct memory_reporter {
    void (*cb)(struct memory_report *, void *aux);
    void *aux;
    struct memory_reporter *next;
};

static struct memory_reporter *reporters;

void
memory_report_add(struct memory_report *r, const char *name, unsigned long long count)
{
    for (size_t i = 0; i < r->n; i++) {
        if (!strcmp(r->items[i].name, name)) {
            r->items[i].count += count;
            return;
        }
    }
    r->items = xrealloc(r->items, (r->n + 1) * sizeof *r->items);
    r->items[r->n].name = xstrdup(name);
    r->items[r->n].count = count;
    r->n++;
}

void
memory_reporter_register(void (*cb)(struct memory_report *, void *aux), void *aux)
{
    struct memory_reporter *r = xzalloc(sizeof *r);

    r->cb = cb;
    r->aux = aux;
    r->next = reporters;
    reporters = r;
}

static int
compare_items(const void *a_, const void *b_)
{
    const struct memory_item *a = a_;
    const struct memory_item *b = b_;

    return strcmp(a->name, b->name);
}

static void
cmd_memory_show(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct memory_report report = {NULL, 0};
    struct strbuf out = STRBUF_INIT;

    for (const struct memory_reporter *r = reporters; r; r = r->next) {
        r->cb(&report, r->aux);
    }
    if (report.n) {
        qsort(report.items, report.n, sizeof *report.items, compare_items);
    }
    for (size_t i = 0; i < report.n; i++) {
        strbuf_putf(&out, "%s:%llu ", report.items[i].name, report.items[i].count);
        free(report.items[i].name);
    }
    free(report.items);
    strbuf_chomp(&out, " ");
    strbuf_putc(&out, '\n');
    ctl_reply(conn, strbuf_cstr(&out));
    strbuf_free(&out);
}

void
memory_commands_register(void)
{
    ctl_command_register("memory/show", "", 0, 0, cmd_memory_show, NULL);
}
