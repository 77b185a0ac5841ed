/* SPDX-License-Identifier: Apache-2.0 */

/* TLS for streams, by OpenSSL: one process-wide context made from the configured files, rebuilt
 * when they change, and the non-blocking hand-shake, read and write.  Called by stream.c and
 * stream-listen.c on the main thread.  Peers are trusted by their CA alone, names are not
 * compared (that is how the OVS tools' PKI works).  Must not know what the bytes mean. */

#include "rpc/stream-private.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "log/log.h"
#include "util/xalloc.h"

LOG_MODULE(stream_ssl);

enum { FILE_KEY, FILE_CERT, FILE_CA, N_FILES };

struct file_mark {
    bool exists;
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime;
};

struct stream_tls {
    SSL *ssl;
    bool bootstrapping;
    char *ca_path;
};

static struct {
    char *files[N_FILES];
    bool bootstrap;
    char *protocols;
    char *ciphers;
    SSL_CTX *ctx; /* made from: */
    struct file_mark marks[N_FILES];
    bool bootstrapping; /* ... without a CA, to fetch one */
} tls;

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static void
replace_text(char **dst, const char *src)
{
    char *copy = xstrdup_nullable(src);
    free(*dst);
    *dst = copy;
}

void
stream_ssl_configure(const char *key, const char *cert, const char *ca, bool bootstrap,
                     const char *protocols, const char *ciphers)
{
    if (same_text(key, tls.files[FILE_KEY]) && same_text(cert, tls.files[FILE_CERT]) &&
        same_text(ca, tls.files[FILE_CA]) && bootstrap == tls.bootstrap &&
        same_text(protocols, tls.protocols) && same_text(ciphers, tls.ciphers)) {
        return;
    }
    replace_text(&tls.files[FILE_KEY], key);
    replace_text(&tls.files[FILE_CERT], cert);
    replace_text(&tls.files[FILE_CA], ca);
    replace_text(&tls.protocols, protocols);
    replace_text(&tls.ciphers, ciphers);
    tls.bootstrap = bootstrap;
    SSL_CTX_free(tls.ctx);
    tls.ctx = NULL;
}

static struct file_mark
mark_file(const char *path)
{
    struct stat st;
    struct file_mark m = {.exists = false};
    if (path && !stat(path, &st)) {
        m.exists = true;
        m.dev = st.st_dev;
        m.ino = st.st_ino;
        m.size = st.st_size;
        m.mtime = st.st_mtim;
    }
    return m;
}

static bool
mark_equal(const struct file_mark *a, const struct file_mark *b)
{
    return a->exists == b->exists &&
           (!a->exists ||
            (a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
             a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec));
}

/* The newest OpenSSL error as text; empties the queue. */
static const char *
ssl_error_text(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return reason ? reason : "unknown TLS error";
}

static int
apply_protocols(SSL_CTX *ctx, const char *text, char **errp)
{
    static const struct {
        const char *name;
        uint64_t off;
    } known[] = {
        {"TLSv1", SSL_OP_NO_TLSv1},
        {"TLSv1.1", SSL_OP_NO_TLSv1_1},
        {"TLSv1.2", SSL_OP_NO_TLSv1_2},
        {"TLSv1.3", SSL_OP_NO_TLSv1_3},
    };
    uint64_t off = 0;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        off |= known[i].off;
    }
    char *copy = xstrdup(text);
    char *save = NULL;
    int error = 0;
    for (char *w = strtok_r(copy, ", \t", &save); w; w = strtok_r(NULL, ", \t", &save)) {
        size_t i = 0;
        while (i < ARRAY_SIZE(known) && strcasecmp(w, known[i].name)) {
            i++;
        }
        if (i == ARRAY_SIZE(known)) {
            error_set(errp, "\"%s\" is not a TLS protocol version", w);
            error = EINVAL;
            break;
        }
        off &= ~known[i].off;
    }
    free(copy);
    if (!error) {
        SSL_CTX_set_min_proto_version(ctx, 0);
        SSL_CTX_set_options(ctx, off);
    }
    return error;
}

static int
load_files(SSL_CTX *ctx, bool *bootstrapping, char **errp)
{
    const char *key = tls.files[FILE_KEY], *cert = tls.files[FILE_CERT];
    const char *ca = tls.files[FILE_CA];
    if (!key || !cert || !ca) {
        error_set(errp, "TLS needs a private key, a certificate and a CA certificate "
                        "(--private-key, --certificate, --ca-cert)");
        return EINVAL;
    }
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
        error_set(errp, "cannot use certificate %s: %s", cert, ssl_error_text());
        return EINVAL;
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1) {
        error_set(errp, "cannot use private key %s: %s", key, ssl_error_text());
        return EINVAL;
    }
    *bootstrapping = tls.bootstrap && access(ca, F_OK) && errno == ENOENT;
    if (*bootstrapping) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        return 0;
    }
    if (SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1) {
        error_set(errp, "cannot use CA certificate %s: %s", ca, ssl_error_text());
        return EINVAL;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return 0;
}

static int
build_ctx(SSL_CTX **ctxp, bool *bootstrapping, char **errp)
{
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    if (!ctx) {
        error_set(errp, "OpenSSL: %s", ssl_error_text());
        return ENOMEM;
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    int error = load_files(ctx, bootstrapping, errp);
    if (!error && tls.protocols) {
        error = apply_protocols(ctx, tls.protocols, errp);
    }
    if (!error && tls.ciphers && SSL_CTX_set_cipher_list(ctx, tls.ciphers) != 1) {
        error_set(errp, "cannot use cipher list \"%s\": %s", tls.ciphers, ssl_error_text());
        error = EINVAL;
    }
    if (error) {
        SSL_CTX_free(ctx);
        return error;
    }
    *ctxp = ctx;
    return 0;
}

/* Makes tls.ctx current.  Files that changed into something unusable leave the old one in use.
 */
static int
refresh_ctx(char **errp)
{
    struct file_mark now[N_FILES];
    bool same = tls.ctx != NULL;
    for (int i = 0; i < N_FILES; i++) {
        now[i] = mark_file(tls.files[i]);
        same = same && mark_equal(&now[i], &tls.marks[i]);
    }
    if (same) {
        return 0;
    }
    SSL_CTX *ctx;
    bool bootstrapping = false;
    char *why = NULL;
    int error = build_ctx(&ctx, &bootstrapping, &why);
    if (error && tls.ctx && !tls.bootstrapping) {
        static struct log_rate_limit rl = LOG_RATE_LIMIT(3);
        LOG_WARN_RL(&rl, "changed TLS files are not usable yet, keeping the former: %s", why);
        free(why);
        return 0;
    }
    if (error) {
        error_set(errp, "%s", why);
        free(why);
        return error;
    }
    SSL_CTX_free(tls.ctx);
    tls.ctx = ctx;
    tls.bootstrapping = bootstrapping;
    memcpy(tls.marks, now, sizeof now);
    return 0;
}

int
stream_tls_attach(struct stream *s, bool server, char **errp)
{
    /* OpenSSL writes with write(2); a peer that went away must not end the process. */
    struct sigaction sa;
    if (!sigaction(SIGPIPE, NULL, &sa) && sa.sa_handler == SIG_DFL) {
        signal(SIGPIPE, SIG_IGN);
    }
    int error = refresh_ctx(errp);
    if (error) {
        return error;
    }
    if (server && tls.bootstrapping) {
        error_set(errp, "no CA certificate yet to check clients against");
        return EINVAL;
    }
    SSL *ssl = SSL_new(tls.ctx);
    if (!ssl || SSL_set_fd(ssl, s->fd) != 1) {
        error_set(errp, "OpenSSL: %s", ssl_error_text());
        SSL_free(ssl);
        return ENOMEM;
    }
    if (server) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
    }
    s->tls = xzalloc(sizeof *s->tls);
    s->tls->ssl = ssl;
    s->tls->bootstrapping = tls.bootstrapping;
    s->tls->ca_path = xstrdup_nullable(tls.files[FILE_CA]);
    return 0;
}

void
stream_tls_free(struct stream_tls *t)
{
    if (!t) {
        return;
    }
    /* The closing alert is sent if it fits; nobody waits for the peer's. */
    if (SSL_is_init_finished(t->ssl)) {
        SSL_shutdown(t->ssl);
    }
    SSL_free(t->ssl);
    ERR_clear_error();
    free(t->ca_path);
    free(t);
}

/* Sorts out the result of an OpenSSL call: 0 (end of stream), or a negative errno value. */
static ssize_t
tls_result(struct stream *s, int ret, short *events)
{
    int saved = errno;
    switch (SSL_get_error(s->tls->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
        *events = POLLIN;
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        *events = POLLOUT;
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        if (!ERR_peek_error()) {
            if (!saved) {
                return 0;
            }
            stream_fail(s, "%s", strerror(saved));
            return -saved;
        }
        break;
    default:
        break;
    }
    long verify = SSL_get_verify_result(s->tls->ssl);
    if (verify != X509_V_OK && !s->tls->bootstrapping) {
        stream_fail(s, "TLS: peer certificate: %s", X509_verify_cert_error_string(verify));
        ERR_clear_error();
    } else {
        stream_fail(s, "TLS: %s", ssl_error_text());
    }
    return -EPROTO;
}

/* Stores the self-signed end of the peer's chain as the CA to trust from now on. */
static int
bootstrap_ca(struct stream *s)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(s->tls->ssl);
    X509 *ca =
        chain && sk_X509_num(chain) ? sk_X509_value(chain, sk_X509_num(chain) - 1) : NULL;
    if (!ca || X509_NAME_cmp(X509_get_subject_name(ca), X509_get_issuer_name(ca))) {
        stream_fail(s, "TLS: the server does not send its CA certificate; "
                       "it cannot be taken over, configure the CA file");
        return EPROTO;
    }
    int fd = open(s->tls->ca_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        int error = errno;
        if (fd >= 0) {
            close(fd);
        }
        stream_fail(s, "TLS: cannot create CA file %s: %s", s->tls->ca_path, strerror(error));
        return error;
    }
    bool ok = PEM_write_X509(f, ca) == 1;
    ok = !fclose(f) && ok;
    if (!ok) {
        unlink(s->tls->ca_path);
        stream_fail(s, "TLS: cannot write CA file %s", s->tls->ca_path);
        return EIO;
    }
    LOG_INFO("%s: stored the server's CA certificate in %s", s->name, s->tls->ca_path);
    stream_fail(s, "TLS: got the CA certificate, connecting again with it");
    return ECONNRESET;
}

int
stream_tls_handshake(struct stream *s)
{
    ERR_clear_error();
    errno = 0;
    int ret = SSL_do_handshake(s->tls->ssl);
    if (ret == 1) {
        return s->tls->bootstrapping ? bootstrap_ca(s) : 0;
    }
    ssize_t error = tls_result(s, ret, &s->rx_events);
    if (!error) {
        stream_fail(s, "TLS: connection closed during the hand-shake");
        return ECONNRESET;
    }
    return (int) -error;
}

ssize_t
stream_tls_recv(struct stream *s, void *buf, size_t n)
{
    ERR_clear_error();
    errno = 0;
    int ret = SSL_read(s->tls->ssl, buf, n > INT32_MAX ? INT32_MAX : (int) n);
    s->rx_events = POLLIN;
    return ret > 0 ? ret : tls_result(s, ret, &s->rx_events);
}

ssize_t
stream_tls_send(struct stream *s, const void *buf, size_t n)
{
    ERR_clear_error();
    errno = 0;
    int ret = SSL_write(s->tls->ssl, buf, n > 16384 ? 16384 : (int) n);
    s->tx_events = POLLOUT;
    if (ret > 0) {
        return ret;
    }
    ssize_t error = tls_result(s, ret, &s->tx_events);
    return error ? error : -EPIPE;
}
