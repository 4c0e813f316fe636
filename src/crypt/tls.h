/* TLS on the server's side of a non-blocking descriptor (TLS 1.2 and later; ALPN h2, http/1.1). The
 * only caller of OpenSSL's SSL interface. Lives in the gateway. */
#pragma once

#include "base/text.h"

#include <sys/types.h>

struct tls_context;
struct tls;

/* From PEM texts. -EINVAL if `certificate` is none, -EKEYREJECTED if `key` is none, is encrypted or
 * belongs to another certificate. */
int tls_context_new(struct tls_context **context, struct text certificate,
		    struct text key) ATTR_MUST_CHECK;
void tls_context_free(struct tls_context *context); /* NULL is fine */

struct tls *tls_accept(struct tls_context *context,
		       int fd); /* NULL without memory; the descriptor stays the caller's */
void tls_free(struct tls *tls); /* NULL is fine */

/* Bytes, 0 at the orderly end, -EAGAIN, or another negative errno. The handshake happens inside. */
ssize_t tls_read(struct tls *tls, void *data, size_t size);
ssize_t tls_write(struct tls *tls, const void *data, size_t size);
bool tls_wants_write(const struct tls *tls); /* reading waits until the socket can be written */
bool tls_has_pending(const struct tls *tls); /* bytes that can be read at once */
void tls_shutdown(struct tls *tls);          /* says goodbye; does not wait */
