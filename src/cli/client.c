#include "client.h"

#include "base/error.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONNECT_TIMEOUT_MS = 10000, BODY_LIMIT = 256 << 20 };

struct client {
	CURLM *multi;
	char *url;
	const char *ca;
	struct buffer authorization; /* wiped */
};

struct client_exchange {
	struct client *client;
	CURL *easy;
	struct curl_slist *headers;
	const struct client_request *request;
	struct client_answer *answer;
	char error[CURL_ERROR_SIZE];
	bool done;
	bool refused; /* on_data said no */
};

void client_answer_free(struct client_answer *answer)
{
	buffer_free(&answer->body);
	buffer_free(&answer->headers);
}

int client_new(struct client **out, const char *url, const char *key, const char *ca)
{
	struct client *client = calloc(1, sizeof(*client));
	if (!client || curl_global_init(CURL_GLOBAL_DEFAULT) ||
	    !(client->multi = curl_multi_init())) {
		free(client);
		return error_origin(-ENOMEM);
	}
	struct text base = text_of(url);
	while (text_ends(base, TEXT("/")))
		base.size--;
	client->url = text_dup(base);
	client->ca = ca;
	if (key)
		buffer_append_format(&client->authorization, "Authorization: Bearer %s", key);
	buffer_append_byte(&client->authorization, '\0');
	*out = client;
	return client->url ? 0 : error_origin(-ENOMEM);
}

void client_free(struct client *client)
{
	if (!client)
		return;
	curl_multi_cleanup(client->multi);
	if (client->authorization.data)
		explicit_bzero(client->authorization.data, client->authorization.capacity);
	buffer_free(&client->authorization);
	free(client->url);
	free(client);
}

/* ---- what libcurl calls ---- */

static bool is_success(CURL *easy)
{
	long status = 0;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300;
}

static size_t body_came(char *data, size_t one, size_t size, void *owner)
{
	struct client_exchange *exchange = owner;
	struct bytes piece = {(const uint8_t *)data, one * size};
	if (exchange->request->on_data && is_success(exchange->easy)) {
		if (exchange->request->on_data(exchange->request->owner, piece) < 0) {
			exchange->refused = true;
			return 0;
		}
		return piece.size;
	}
	exchange->answer->body.limit = BODY_LIMIT;
	buffer_append(&exchange->answer->body, piece.data, piece.size);
	return buffer_check(&exchange->answer->body) ? 0 : piece.size;
}

static size_t header_came(char *data, size_t one, size_t size, void *owner)
{
	struct client_exchange *exchange = owner;
	if (one * size > 5 && memcmp(data, "HTTP/", 5) == 0)
		buffer_clear(
		    &exchange->answer->headers); /* after a 100 Continue the real one comes */
	buffer_append(&exchange->answer->headers, data, one * size);
	return one * size;
}

static size_t body_wanted(char *room, size_t one, size_t size, void *owner)
{
	struct client_exchange *exchange = owner;
	ssize_t n = read(exchange->request->body_file, room, one * size);
	return n < 0 ? CURL_READFUNC_ABORT : (size_t)n;
}

static int progress_made(void *owner, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
			 curl_off_t up)
{
	struct client_exchange *exchange = owner;
	bool is_upload = exchange->request->upload;
	int64_t total = is_upload ? up_total : down_total;
	exchange->request->on_progress(exchange->request->owner, is_upload ? up : down,
				       total > 0 ? total : -1);
	return 0;
}

/* ---- one exchange ---- */

static void add_header(struct client_exchange *exchange, const char *line)
{
	exchange->headers = curl_slist_append(exchange->headers, line);
}

static void set_body(struct client_exchange *exchange)
{
	const struct client_request *request = exchange->request;
	CURL *easy = exchange->easy;
	if (request->upload) {
		curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, body_wanted);
		curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
		if (request->body_file_size >= 0)
			curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
					 (curl_off_t)request->body_file_size);
	} else if (request->has_body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.data);
		add_header(exchange, "Content-Type: application/json");
	}
	if (strcmp(request->method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_limits(CURL *easy, const struct client_request *request)
{
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	if (request->timeout_ms > 0) {
		curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)(request->timeout_ms / 1000));
	}
}

static int prepare(struct client_exchange *exchange)
{
	const struct client_request *request = exchange->request;
	CURL *easy = exchange->easy;
	struct buffer url ATTR_BUFFER = {0};
	buffer_append_text(&url, text_of(exchange->client->url));
	buffer_append_text(&url, request->path);
	buffer_append_byte(&url, '\0');
	if (buffer_check(&url) < 0)
		return error_origin(-ENOMEM);
	curl_easy_setopt(easy, CURLOPT_URL, (char *)url.data);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
	if (exchange->client->ca)
		curl_easy_setopt(easy, CURLOPT_CAINFO, exchange->client->ca);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "croft/" CROFT_VERSION);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_came);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_came);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
	if (request->on_progress) {
		curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress_made);
		curl_easy_setopt(easy, CURLOPT_XFERINFODATA, exchange);
	}
	set_limits(easy, request);
	if (exchange->client->authorization.size > 1)
		add_header(exchange, (char *)exchange->client->authorization.data);
	for (size_t i = 0; request->headers && request->headers[i]; i++)
		add_header(exchange, request->headers[i]);
	set_body(exchange);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
	return 0;
}

int client_begin(struct client *client, const struct client_request *request,
		 struct client_answer *answer, struct client_exchange **out)
{
	struct client_exchange *exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return error_origin(-ENOMEM);
	*exchange =
	    (struct client_exchange){.client = client, .request = request, .answer = answer};
	exchange->easy = curl_easy_init();
	int r = exchange->easy ? prepare(exchange) : error_origin(-ENOMEM);
	if (r == 0 && curl_multi_add_handle(client->multi, exchange->easy))
		r = error_origin(-ENOMEM);
	if (r < 0) {
		client_end(exchange);
		return r;
	}
	*out = exchange;
	return 0;
}

bool client_is_done(const struct client_exchange *exchange)
{
	return exchange->done;
}

void client_end(struct client_exchange *exchange)
{
	if (!exchange)
		return;
	if (exchange->easy) {
		curl_multi_remove_handle(exchange->client->multi, exchange->easy);
		curl_easy_cleanup(exchange->easy);
	}
	for (struct curl_slist *line = exchange->headers; line; line = line->next)
		explicit_bzero(line->data, strlen(line->data));
	curl_slist_free_all(exchange->headers);
	free(exchange);
}

static bool is_hopeless(CURLcode code)
{
	static const CURLcode codes[] = {CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL,
					 CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE};
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (code == codes[i])
			return true;
	return false;
}

static void finish(struct client_exchange *exchange, CURLcode code)
{
	long status = 0;
	curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	exchange->done = true;
	exchange->answer->status = (int)status;
	if (code == CURLE_OK)
		return;
	exchange->answer->broken = true;
	exchange->answer->hopeless = is_hopeless(code);
	snprintf(exchange->answer->trouble, sizeof(exchange->answer->trouble), "%s",
		 *exchange->error ? exchange->error : curl_easy_strerror(code));
}

int client_turn(struct client *client, struct pollfd *fds, unsigned count, int timeout_ms)
{
	struct curl_waitfd extra[8];
	int running, left;
	CURLMsg *message;
	for (unsigned i = 0; i < count; i++) {
		fds[i].events = POLLIN;
		extra[i] = (struct curl_waitfd){fds[i].fd, CURL_WAIT_POLLIN, 0};
	}
	if (curl_multi_perform(client->multi, &running) ||
	    curl_multi_poll(client->multi, extra, count, timeout_ms, NULL) ||
	    curl_multi_perform(client->multi, &running))
		return error_origin(-EIO);
	/* libcurl wakes for the end of a pipe, but does not say so. */
	if (poll(fds, count, 0) < 0 && errno != EINTR)
		return error_origin(-errno);
	while ((message = curl_multi_info_read(client->multi, &left))) {
		char *owner = NULL;
		CURLcode code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
		finish((struct client_exchange *)(void *)owner, code);
	}
	return 0;
}

int client_call(struct client *client, const struct client_request *request,
		struct client_answer *answer)
{
	enum { TURN_MS = 1000 };
	struct client_exchange *exchange;
	int r = client_begin(client, request, answer, &exchange);
	if (r < 0)
		return error_trace(r);
	while (r == 0 && !exchange->done)
		r = client_turn(client, NULL, 0, TURN_MS);
	client_end(exchange);
	return error_trace(r);
}

struct text client_header(const struct client_answer *answer, struct text name)
{
	struct text rest = buffer_text(&answer->headers), line;
	while (rest.size > 0) {
		text_split(&rest, '\n', &line);
		if (text_ends(line, TEXT("\r")))
			line.size--;
		struct text key, value = line;
		text_split(&value, ':', &key);
		if (value.data && text_equal_ignoring_case(key, name))
			return text_trim(value);
	}
	return (struct text){0};
}

void client_escape(struct buffer *out, struct text text, bool keep_slash)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
			     c == '~' || (keep_slash && c == '/');
		if (plain)
			buffer_append_byte(out, (uint8_t)c);
		else
			buffer_append_format(out, "%%%02X", (unsigned)(uint8_t)c);
	}
}
