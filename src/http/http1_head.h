/* The head of an HTTP/1.x request (RFC 9112), read strictly: what two parsers could read in two
 * ways is refused, since that is what request smuggling lives on (docs/decisions/http-parser.md).
 */
#pragma once

#include "base/text.h"
#include "http/server.h"

enum { HTTP1_METHOD_MAX = 16 };

struct http1_head {
	struct text method, target; /* a path with its query, or `*` */
	struct text authority;      /* of an absolute target; data NULL: it was none */
	uint8_t minor;              /* of HTTP/1.x */
	struct http_field
	    *fields; /* the caller's room for HTTP_FIELDS_MAX; names are lowered in place */
	size_t n_fields;
	bool has_length, is_chunked;
	uint64_t length;
	bool keeps_alive;
	bool expects_continue;
};

/* The bytes that the head takes, its empty line included; 0 if it is not all there yet. */
size_t http1_head_size(struct bytes input);

/* `raw` is the whole head and is written to (names are lowered, a path is cut off an absolute
 * target). 0; 1 and why it is refused. */
int http1_head_parse(char *raw, size_t size, struct http1_head *head, struct http_refusal *refusal);
