/* Inside src/http: the head of a request of HTTP/2, gathered field by field. nghttp2 checks its
 * syntax; what stands here is what RFC 9113 leaves to the server, and our limits. */
#pragma once

#include "http/http2_stream.h"

void http2_head_add(struct http_stream *stream, struct text name, struct text value);
/* No field follows. 0; 1 and why it is refused. */
int http2_head_finish(struct http_stream *stream, bool has_body, struct http_refusal *refusal);
