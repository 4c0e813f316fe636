#include "crypt/tls.h"

#include "base/error.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct tls_context {
	SSL_CTX *ssl;
};

struct tls {
	SSL *ssl;
	bool wants_write;
};

static const unsigned char protocols[] = "\x02h2\x08http/1.1";

static int choose_protocol(SSL *ssl ATTR_UNUSED, const unsigned char **out, unsigned char *size,
			   const unsigned char *offered, unsigned offered_size,
			   void *unused ATTR_UNUSED)
{
	unsigned char *chosen;
	if (SSL_select_next_proto(&chosen, size, protocols, sizeof(protocols) - 1, offered,
				  offered_size) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int use_certificates(SSL_CTX *ssl, struct text pem)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	int r = certificate && SSL_CTX_use_certificate(ssl, certificate) == 1 ? 0 : -EINVAL;
	X509_free(certificate);
	while (r == 0 && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		if (SSL_CTX_add_extra_chain_cert(ssl, certificate) != 1) {
			X509_free(certificate);
			r = -EINVAL;
		}
	BIO_free(bio);
	ERR_clear_error(); /* the end of the chain is found by an error */
	return r;
}

/* Nobody is there to type one; without this the library would ask the terminal. */
static int no_passphrase(char *out ATTR_UNUSED, int size ATTR_UNUSED, int writing ATTR_UNUSED,
			 void *unused ATTR_UNUSED)
{
	return -1;
}

static int use_key(SSL_CTX *ssl, struct text pem)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	int r = key && SSL_CTX_use_PrivateKey(ssl, key) == 1 && SSL_CTX_check_private_key(ssl) == 1
		    ? 0
		    : -EKEYREJECTED;
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

int tls_context_new(struct tls_context **out, struct text certificate, struct text key)
{
	struct tls_context *context = calloc(1, sizeof(*context));
	if (!context || !(context->ssl = SSL_CTX_new(TLS_server_method()))) {
		free(context);
		return error_origin(-ENOMEM);
	}
	SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION);
	SSL_CTX_set_mode(context->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
					   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					   SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(context->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_alpn_select_cb(context->ssl, choose_protocol, NULL);
	int r = use_certificates(context->ssl, certificate);
	if (r == 0)
		r = use_key(context->ssl, key);
	if (r < 0) {
		tls_context_free(context);
		return error_origin(r);
	}
	*out = context;
	return 0;
}

void tls_context_free(struct tls_context *context)
{
	if (!context)
		return;
	SSL_CTX_free(context->ssl);
	free(context);
}

struct tls *tls_accept(struct tls_context *context, int fd)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	if (!tls || !(tls->ssl = SSL_new(context->ssl)) || SSL_set_fd(tls->ssl, fd) != 1) {
		tls_free(tls);
		return NULL;
	}
	SSL_set_accept_state(tls->ssl);
	return tls;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	free(tls);
}

static ssize_t outcome(struct tls *tls, int n)
{
	int error = SSL_get_error(tls->ssl, n);
	tls->wants_write = error == SSL_ERROR_WANT_WRITE;
	switch (error) {
	case SSL_ERROR_NONE:
		return n;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	default:
		ERR_clear_error();
		return -EPROTO;
	}
}

ssize_t tls_read(struct tls *tls, void *data, size_t size)
{
	ERR_clear_error();
	return outcome(tls, SSL_read(tls->ssl, data, size > INT32_MAX ? INT32_MAX : (int)size));
}

ssize_t tls_write(struct tls *tls, const void *data, size_t size)
{
	ERR_clear_error();
	return outcome(tls, SSL_write(tls->ssl, data, size > INT32_MAX ? INT32_MAX : (int)size));
}

bool tls_wants_write(const struct tls *tls)
{
	return tls->wants_write;
}

bool tls_has_pending(const struct tls *tls)
{
	return SSL_pending(tls->ssl) > 0;
}

void tls_shutdown(struct tls *tls)
{
	SSL_shutdown(tls->ssl);
	ERR_clear_error();
}
