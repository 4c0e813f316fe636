/* The chunked transfer coding (RFC 9112 section 7.1), decoded strictly: hexadecimal sizes, CR LF,
 * no bare line ends. Extensions and trailers are passed over and limited. */
#pragma once

#include "base/text.h"

enum { HTTP1_CHUNK_LINE_MAX = 256, HTTP1_TRAILER_MAX = 8192 };

enum http1_chunks_outcome {
	HTTP1_CHUNKS_MORE, /* all input is used; the body is not over */
	HTTP1_CHUNKS_DATA, /* `piece` is the next of the body */
	HTTP1_CHUNKS_END,  /* what is left of the input is behind the body */
	HTTP1_CHUNKS_BAD,
};

enum http1_chunks_state {
	CHUNKS_SIZE,
	CHUNKS_EXTENSION,
	CHUNKS_SIZE_LF,
	CHUNKS_DATA,
	CHUNKS_DATA_CR,
	CHUNKS_DATA_LF,
	CHUNKS_TRAILER_START,
	CHUNKS_TRAILER,
	CHUNKS_TRAILER_LF,
	CHUNKS_END_LF,
	CHUNKS_OVER,
};

struct http1_chunks {
	bool is_used;
	enum http1_chunks_state state;
	bool has_digit;
	uint64_t left; /* of this chunk */
	uint32_t line; /* bytes of this size line */
	uint32_t trailer;
};

/* Takes from the front of `input`. */
enum http1_chunks_outcome http1_chunks_next(struct http1_chunks *chunks, struct bytes *input,
					    struct bytes *piece);
