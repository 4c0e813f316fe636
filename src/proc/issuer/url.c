#include "proc/issuer/url.h"

#include <curl/curl.h>

static bool is_loopback(const char *host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(host, names[i]) == 0)
			return true;
	return false;
}

static bool parts_are_allowed(CURLU *parts)
{
	char *scheme = NULL, *host = NULL, *user = NULL;
	bool allowed = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		       curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		       curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_NO_USER;
	if (allowed && strcmp(scheme, "https") != 0)
		allowed = strcmp(scheme, "http") == 0 && is_loopback(host);
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	return allowed;
}

bool url_is_allowed(const char *url)
{
	CURLU *parts = curl_url();
	bool allowed = parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
		       parts_are_allowed(parts);
	curl_url_cleanup(parts);
	return allowed;
}
