#include "http/http1_chunks.h"

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http1_chunks_outcome take_size(struct http1_chunks *chunks, uint8_t c)
{
	int digit = hex_digit(c);
	if (digit >= 0) {
		if (chunks->left >> 58)
			return HTTP1_CHUNKS_BAD;
		chunks->left = chunks->left << 4 | (uint64_t)digit;
		chunks->has_digit = true;
		return HTTP1_CHUNKS_MORE;
	}
	if (!chunks->has_digit || (c != ';' && c != '\r'))
		return HTTP1_CHUNKS_BAD;
	chunks->state = c == ';' ? CHUNKS_EXTENSION : CHUNKS_SIZE_LF;
	return HTTP1_CHUNKS_MORE;
}

static enum http1_chunks_outcome end_size(struct http1_chunks *chunks, uint8_t c)
{
	if (c != '\n')
		return HTTP1_CHUNKS_BAD;
	chunks->state = chunks->left ? CHUNKS_DATA : CHUNKS_TRAILER_START;
	return HTTP1_CHUNKS_MORE;
}

static enum http1_chunks_outcome take_trailer(struct http1_chunks *chunks, uint8_t c)
{
	if (++chunks->trailer > HTTP1_TRAILER_MAX || c == '\n' ||
	    (c < 0x20 && c != '\t' && c != '\r'))
		return HTTP1_CHUNKS_BAD;
	if (c == '\r')
		chunks->state =
		    chunks->state == CHUNKS_TRAILER_START ? CHUNKS_END_LF : CHUNKS_TRAILER_LF;
	else
		chunks->state = CHUNKS_TRAILER;
	return HTTP1_CHUNKS_MORE;
}

/* Where exactly one byte may stand. */
static enum http1_chunks_outcome expect(struct http1_chunks *chunks, uint8_t c, uint8_t wanted,
					enum http1_chunks_state next)
{
	if (c != wanted)
		return HTTP1_CHUNKS_BAD;
	chunks->state = next;
	return next == CHUNKS_OVER ? HTTP1_CHUNKS_END : HTTP1_CHUNKS_MORE;
}

static enum http1_chunks_outcome take_framing(struct http1_chunks *chunks, uint8_t c)
{
	if ((chunks->state == CHUNKS_SIZE || chunks->state == CHUNKS_EXTENSION) &&
	    ++chunks->line > HTTP1_CHUNK_LINE_MAX)
		return HTTP1_CHUNKS_BAD;
	switch (chunks->state) {
	case CHUNKS_SIZE:
		return take_size(chunks, c);
	case CHUNKS_EXTENSION:
		if (c == '\r')
			chunks->state = CHUNKS_SIZE_LF;
		return c < 0x20 && c != '\t' && c != '\r' ? HTTP1_CHUNKS_BAD : HTTP1_CHUNKS_MORE;
	case CHUNKS_SIZE_LF:
		return end_size(chunks, c);
	case CHUNKS_DATA_CR:
		return expect(chunks, c, '\r', CHUNKS_DATA_LF);
	case CHUNKS_DATA_LF:
		chunks->line = 0;
		chunks->has_digit = false;
		return expect(chunks, c, '\n', CHUNKS_SIZE);
	case CHUNKS_TRAILER_START:
	case CHUNKS_TRAILER:
		return take_trailer(chunks, c);
	case CHUNKS_TRAILER_LF:
		return expect(chunks, c, '\n', CHUNKS_TRAILER_START);
	case CHUNKS_END_LF:
		return expect(chunks, c, '\n', CHUNKS_OVER);
	default:
		return HTTP1_CHUNKS_BAD;
	}
}

enum http1_chunks_outcome http1_chunks_next(struct http1_chunks *chunks, struct bytes *input,
					    struct bytes *piece)
{
	enum http1_chunks_outcome outcome = HTTP1_CHUNKS_MORE;
	while (input->size > 0 && outcome == HTTP1_CHUNKS_MORE) {
		if (chunks->state == CHUNKS_DATA) {
			size_t size =
			    input->size < chunks->left ? input->size : (size_t)chunks->left;
			*piece = (struct bytes){input->data, size};
			chunks->left -= size;
			if (chunks->left == 0)
				chunks->state = CHUNKS_DATA_CR;
			*input = (struct bytes){input->data + size, input->size - size};
			return HTTP1_CHUNKS_DATA;
		}
		outcome = take_framing(chunks, input->data[0]);
		*input = (struct bytes){input->data + 1, input->size - 1};
	}
	return outcome;
}
