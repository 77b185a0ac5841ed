/* SPDX-License-Identifier: Apache-2.0 */
/* Turns the configuration's ethtool commands into argument lists, and runs them.  Called by the
 * configuration parser (to judge them before anything is done) and by ADD. */

#include "utilities/xvs-cni/cni-ethtool.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/strbuf.h"
#include "util/xalloc.h"
#include "utilities/xvs-cni/cni-exec.h"

static const char shell_characters[] = "\"'`\\$|&;<>(){}*?!#~";

void
cni_words_free(struct cni_words *w)
{
    for (size_t i = 0; i < w->n; i++) {
        free(w->argv[i]);
    }
    w->n = 0;
}

/* One word with its place-holders replaced, malloc'ed; NULL: it wants an address and there is
 * none.  What was put in is not looked at again. */
static char *
substitute(const char *word, size_t len, const char *device, const char *ip)
{
    struct strbuf out = STRBUF_INIT;
    for (size_t i = 0; i < len;) {
        if (len - i >= 8 && !memcmp(word + i, "-device-", 8)) {
            strbuf_puts(&out, device);
            i += 8;
        } else if (len - i >= 4 && !memcmp(word + i, "-ip-", 4)) {
            if (!ip) {
                strbuf_free(&out);
                return NULL;
            }
            strbuf_puts(&out, ip);
            i += 4;
        } else {
            strbuf_putc(&out, word[i++]);
        }
    }
    return strbuf_steal(&out);
}

static bool
characters_are_valid(const char *command, struct cni_error *e)
{
    for (const char *s = command; *s; s++) {
        unsigned char c = (unsigned char) *s;
        if (c == '\t' || (c >= ' ' && c < 0x7f && !strchr(shell_characters, c))) {
            continue;
        }
        if (c >= ' ' && c < 0x7f) {
            cni_fail(e, CNI_ECONFIG, "the character %c is not allowed in \"ethtoolCmds\"", c);
        } else {
            cni_fail(e, CNI_ECONFIG, "the byte 0x%02x is not allowed in \"ethtoolCmds\"", c);
        }
        cni_error_details(e, "No shell runs these commands; they are ethtool's arguments, "
                             "separated by blanks, as in \"-L -device- combined 1\".");
        return false;
    }
    return true;
}

bool
cni_words_split(struct cni_words *w, const char *command, const char *device, const char *ip,
                struct cni_error *e)
{
    bool named = false;
    memset(w, 0, sizeof *w);
    if (!characters_are_valid(command, e)) {
        return false;
    }
    w->argv[w->n++] = xstrdup("ethtool");
    for (const char *s = command;;) {
        s += strspn(s, " \t");
        size_t len = strcspn(s, " \t");
        if (!len) {
            break;
        }
        if (w->n == 1 && !named && len == 7 && !memcmp(s, "ethtool", 7)) {
            named = true;
            s += len;
            continue;
        }
        if (w->n > CNI_WORDS_MAX) {
            cni_fail(e, CNI_ECONFIG, "a command in \"ethtoolCmds\" has more than %d words",
                     CNI_WORDS_MAX);
            goto bad;
        }
        if (w->n == 1 && (s[0] != '-' || (len >= 4 && !memcmp(s, "-ip-", 4)) ||
                          (len >= 8 && !memcmp(s, "-device-", 8)))) {
            cni_fail(e, CNI_ECONFIG,
                     "\"%.64s\" in \"ethtoolCmds\" does not start with an option of ethtool",
                     command);
            goto bad;
        }
        char *word = substitute(s, len, device, ip);
        if (!word) {
            cni_fail(e, CNI_ECONFIG,
                     "\"ethtoolCmds\" uses -ip- but the configuration has no \"ipam\"");
            goto bad;
        }
        w->argv[w->n++] = word;
        s += len;
    }
    if (w->n == 1) {
        cni_fail(e, CNI_ECONFIG, "a command in \"ethtoolCmds\" is empty");
        goto bad;
    }
    return true;
bad:
    cni_words_free(w);
    memset(w, 0, sizeof *w);
    return false;
}

/* The places where distributions keep it: a runtime's own PATH may be anything. */
static const char *
find_ethtool(void)
{
    static const char *const paths[] = {"/usr/sbin/ethtool", "/sbin/ethtool",
                                        "/usr/bin/ethtool", "/usr/local/sbin/ethtool",
                                        "/usr/local/bin/ethtool"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        if (!access(paths[i], X_OK)) {
            return paths[i];
        }
    }
    return NULL;
}

bool
cni_ethtool_run(const char *const *commands, size_t n, const char *device, const char *ip,
                struct cni_error *e)
{
    const char *program = n ? find_ethtool() : "";
    if (!program) {
        return cni_fail(e, CNI_EETHTOOL,
                        "\"ethtoolCmds\" are given and ethtool is not installed on this host");
    }
    for (size_t i = 0; i < n; i++) {
        struct cni_words words;
        struct cni_exec_result result;
        if (!cni_words_split(&words, commands[i], device, ip, e)) {
            return false;
        }
        cni_log(CNI_LOG_INFO, "%s: ethtool %s", device, commands[i]);
        bool ok = cni_exec(program, words.argv, NULL, "", 0, CNI_ETHTOOL_MS, &result);
        cni_words_free(&words);
        if (!ok) {
            cni_fail(e, CNI_EETHTOOL, "\"ethtool %.128s\" failed on %s: %s", commands[i],
                     device, result.problem);
            if (result.err.len || result.out.len) {
                cni_error_details(e, "%s",
                                  strbuf_cstr(result.err.len ? &result.err : &result.out));
            }
        }
        cni_exec_result_free(&result);
        if (!ok) {
            return false;
        }
    }
    return true;
}
