#include "proc/gateway/credential.h"

static bool is_token_character(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c != 0 && strchr("-._~+/=", c));
}

static bool is_token(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if (!is_token_character(text.data[i]))
			return false;
	return text.size > 0 && text.size <= CREDENTIAL_LIMIT;
}

/* "Bearer", one or more blanks, the token (RFC 6750, section 2.1). */
static struct text bearer_token(struct text authorization)
{
	struct text scheme, rest = authorization;
	text_split(&rest, ' ', &scheme);
	if (!text_equal_ignoring_case(scheme, TEXT("bearer")))
		return (struct text){0};
	return text_trim(rest);
}

/* A JWT is three parts with two dots between; keys of ours have no dot. */
static enum credential_kind kind_of(struct text token)
{
	size_t dots = 0;
	for (size_t i = 0; i < token.size; i++)
		dots += token.data[i] == '.';
	return dots == 2 ? CREDENTIAL_JWT : CREDENTIAL_API_KEY;
}

static enum credential_verdict take(struct credential *credential, enum credential_kind kind,
				    struct text secret)
{
	if (!is_token(secret))
		return CREDENTIAL_MALFORMED;
	*credential = (struct credential){kind, secret};
	return CREDENTIAL_FOUND;
}

enum credential_verdict credential_find(const struct credential_sources *sources,
					struct credential *credential)
{
	*credential = (struct credential){.kind = CREDENTIAL_NONE};
	if (sources->count > 1)
		return CREDENTIAL_SEVERAL;
	if (sources->authorization.data) {
		struct text token = bearer_token(sources->authorization);
		return take(credential, kind_of(token), token);
	}
	if (sources->api_key.data)
		return take(credential, CREDENTIAL_API_KEY, text_trim(sources->api_key));
	if (sources->ticket.data)
		return take(credential, CREDENTIAL_TICKET, sources->ticket);
	return CREDENTIAL_FOUND;
}
