/* Header fields that mean something to the gateway itself, parsed strictly. What is malformed is
 * either ignored, as its standard says (traceparent, Prefer), or refused (Idempotency-Key). */
#pragma once

#include "base/buffer.h"

enum { PREFER_WAIT_LIMIT_S = 60, REQUEST_ID_LIMIT = 64 };

/* Seconds of `wait` in Prefer (RFC 7240), cut to PREFER_WAIT_LIMIT_S; 0 if there is none. `applied`
 * tells whether there was. */
uint32_t fields_prefer_wait(struct text prefer, bool *applied);

/* W3C Trace Context, level 1, any version but ff. */
bool fields_traceparent_is_valid(struct text traceparent);

/* A client's X-Request-Id that is plain and short. */
bool fields_request_id_is_plain(struct text id);

/* The key, plain or as a quoted string of RFC 8941, without quotes and escapes, into `out`. 1 if it
 * is not valid: empty, longer than IDEMPOTENCY_KEY_LIMIT characters, with control characters or not
 * UTF-8. */
int fields_idempotency_key(struct text field, struct buffer *out);

/* True if one of the media ranges of Accept is `type` ("text/event-stream") with a quality above
 * zero. Wildcards do not count: they are for the default. */
bool fields_accept_names(struct text accept, struct text type);

/* The media type of a Content-Type field without its parameters. */
struct text fields_media_type(struct text content_type);
