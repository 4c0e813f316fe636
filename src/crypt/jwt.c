#include "crypt/jwt.h"

#include "base/encode.h"
#include "base/error.h"
#include "json/document.h"

#include <errno.h>

const char *const jwt_outcome_names[JWT_OUTCOMES] = {
    [JWT_VALID] = "valid",
    [JWT_MALFORMED] = "token_malformed",
    [JWT_ALGORITHM_REFUSED] = "token_algorithm_refused",
    [JWT_KEY_UNKNOWN] = "token_key_unknown",
    [JWT_SIGNATURE_WRONG] = "token_signature_wrong",
    [JWT_ISSUER_WRONG] = "token_issuer_wrong",
    [JWT_AUDIENCE_WRONG] = "token_audience_wrong",
    [JWT_EXPIRED] = "token_expired",
    [JWT_NOT_YET_VALID] = "token_not_yet_valid",
};

/* Past this no date is meant, and milliseconds still fit. */
static const int64_t date_limit_s = 253402300799; /* 9999-12-31T23:59:59Z */

struct token_parts {
	struct text header, payload, signature;
	struct text signed_text; /* header and payload with the dot between them */
};

static int split(struct text token, struct token_parts *parts)
{
	struct text rest = token;
	if (token.size > JWT_SIZE_LIMIT)
		return JWT_MALFORMED;
	text_split(&rest, '.', &parts->header);
	text_split(&rest, '.', &parts->payload);
	parts->signature = rest;
	if (!rest.data || text_has(rest, '.') || parts->header.size == 0 ||
	    parts->payload.size == 0)
		return JWT_MALFORMED;
	parts->signed_text =
	    (struct text){token.data, parts->header.size + 1 + parts->payload.size};
	return 0;
}

/* A part of the token as a JSON object. */
static int parse_part(struct text part, struct document **document)
{
	struct buffer json ATTR_BUFFER = {0};
	struct document_error error;
	int r = decode_base64url(&json, part);
	if (r == 0)
		r = document_parse(buffer_bytes(&json), JWT_SIZE_LIMIT, document, &error);
	if (r)
		return r < 0 ? error_trace(r) : JWT_MALFORMED;
	return document_kind(document_root(*document)) == DOCUMENT_IS_OBJECT ? 0 : JWT_MALFORMED;
}

/* The text member `name`, empty with data NULL if it is missing; `*wrong` is set if it is no text.
 */
static struct text text_member(const struct document_value *object, const char *name, bool *wrong)
{
	const struct document_value *value = document_member(object, name);
	if (!value)
		return (struct text){0};
	if (document_kind(value) != DOCUMENT_IS_TEXT) {
		*wrong = true;
		return (struct text){0};
	}
	return document_text(value);
}

static bool type_is_acceptable(struct text type)
{
	static const struct text types[] = {TEXT("JWT"), TEXT("at+jwt"),
					    TEXT("application/at+jwt")};
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (text_equal_ignoring_case(type, types[i]))
			return true;
	return !type.data;
}

static int read_algorithm(struct text name, enum jwks_algorithm *algorithm)
{
	for (size_t i = 0; i < JWKS_ALGORITHMS; i++) {
		if (text_equal(name, text_of(jwks_algorithm_names[i]))) {
			*algorithm = (enum jwks_algorithm)i;
			return 0;
		}
	}
	return JWT_ALGORITHM_REFUSED;
}

/* Header and signature: after this the payload is the issuer's own word. */
static int check_signature(const struct jwks *keys, const struct token_parts *parts)
{
	struct document *header ATTR_DOCUMENT = NULL;
	struct buffer signature ATTR_BUFFER = {0};
	enum jwks_algorithm algorithm;
	bool wrong = false;
	int r = parse_part(parts->header, &header);
	if (r)
		return r;
	const struct document_value *root = document_root(header);
	struct text name = text_member(root, "alg", &wrong), kid = text_member(root, "kid", &wrong);
	struct text type = text_member(root, "typ", &wrong);
	if (wrong || !type_is_acceptable(type) || document_member(root, "crit"))
		return JWT_MALFORMED;
	r = read_algorithm(name, &algorithm);
	if (r)
		return r;
	r = decode_base64url(&signature, parts->signature);
	if (r)
		return r < 0 ? error_trace(r) : JWT_MALFORMED;
	r = jwks_verify(keys, kid, algorithm, text_bytes(parts->signed_text),
			buffer_bytes(&signature));
	return r == 0 ? 0 : r == JWKS_KEY_UNKNOWN ? JWT_KEY_UNKNOWN : JWT_SIGNATURE_WRONG;
}

static bool audience_is_named(const struct document_value *audience, struct text expected)
{
	if (!audience || expected.size == 0)
		return false;
	if (document_kind(audience) == DOCUMENT_IS_TEXT)
		return text_equal(document_text(audience), expected);
	if (document_kind(audience) != DOCUMENT_IS_LIST)
		return false;
	for (size_t i = 0; i < document_count(audience); i++) {
		const struct document_value *one = document_element(audience, i);
		if (document_kind(one) == DOCUMENT_IS_TEXT &&
		    text_equal(document_text(one), expected))
			return true;
	}
	return false;
}

/* A NumericDate in whole seconds: 0; 1 if it is missing; -1 if it is none. */
static int read_date(const struct document_value *claims, const char *name, int64_t *wall_ms)
{
	const struct document_value *value = document_member(claims, name);
	if (!value)
		return 1;
	if (document_kind(value) != DOCUMENT_IS_INTEGER || document_integer(value) < 0 ||
	    document_integer(value) > date_limit_s)
		return -1;
	*wall_ms = document_integer(value) * 1000;
	return 0;
}

static int check_times(const struct document_value *claims, int64_t now_ms, int64_t *expires_ms)
{
	int64_t not_before_ms = 0, issued_ms = 0;
	if (read_date(claims, "exp", expires_ms) != 0 ||
	    read_date(claims, "nbf", &not_before_ms) < 0 ||
	    read_date(claims, "iat", &issued_ms) < 0)
		return JWT_MALFORMED;
	if (now_ms >= *expires_ms + JWT_LEEWAY_MS)
		return JWT_EXPIRED;
	if (now_ms + JWT_LEEWAY_MS < not_before_ms || now_ms + JWT_LEEWAY_MS < issued_ms)
		return JWT_NOT_YET_VALID;
	return 0;
}

/* Copies a name that fits and holds no NUL; false otherwise. */
static bool copy_name(struct text name, char *out, size_t size)
{
	if (name.size == 0 || name.size >= size || memchr(name.data, 0, name.size))
		return false;
	memcpy(out, name.data, name.size);
	out[name.size] = '\0';
	return true;
}

/* An address that the issuer has not verified belongs to whoever typed it in: it names nobody. */
static void read_email(const struct document_value *claims, char email[JWT_EMAIL_MAX + 1])
{
	bool wrong = false;
	const struct document_value *verified = document_member(claims, "email_verified");
	if (!verified || document_kind(verified) != DOCUMENT_IS_BOOL || !document_bool(verified) ||
	    !copy_name(text_member(claims, "email", &wrong), email, JWT_EMAIL_MAX + 1))
		email[0] = '\0';
}

static int check_claims(const struct document_value *root, const struct jwt_expected *expected,
			int64_t now_ms, struct jwt_claims *claims)
{
	struct jwt_claims read = {0};
	bool wrong = false;
	struct text issuer = text_member(root, "iss", &wrong);
	struct text subject = text_member(root, "sub", &wrong);
	if (wrong || !copy_name(subject, read.subject, sizeof(read.subject)))
		return JWT_MALFORMED;
	if (expected->issuer.size == 0 || !text_equal(issuer, expected->issuer))
		return JWT_ISSUER_WRONG;
	if (!audience_is_named(document_member(root, "aud"), expected->audience))
		return JWT_AUDIENCE_WRONG;
	int r = check_times(root, now_ms, &read.expires_ms);
	if (r)
		return r;
	read_email(root, read.email);
	*claims = read;
	return JWT_VALID;
}

int jwt_verify(const struct jwks *keys, const struct jwt_expected *expected, struct text token,
	       int64_t now_ms, struct jwt_claims *claims)
{
	struct token_parts parts;
	struct document *payload ATTR_DOCUMENT = NULL;
	int r = split(token, &parts);
	if (r == 0)
		r = check_signature(keys, &parts);
	if (r == 0)
		r = parse_part(parts.payload, &payload);
	if (r)
		return r;
	return check_claims(document_root(payload), expected, now_ms, claims);
}
