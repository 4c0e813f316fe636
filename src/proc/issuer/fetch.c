#include "proc/issuer/fetch.h"

#include "base/error.h"
#include "base/log.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

/* A descriptor that libcurl wants watched. */
struct fetch_socket {
	struct list node;
	struct loop_watch watch;
	struct fetch *fetch;
};

struct fetch {
	struct loop *loop;
	struct fetch_target target;
	fetch_on_done *on_done;
	void *owner;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	struct loop_timer timer;
	struct list sockets;
	struct buffer body;
	bool under_way;
	char error[CURL_ERROR_SIZE];
};

static void act(struct fetch *fetch, curl_socket_t fd, int events);

/* ---- descriptors and time, as libcurl asks for them ---- */

static void on_ready(struct loop_watch *watch, unsigned events)
{
	struct fetch_socket *one = container_of(watch, struct fetch_socket, watch);
	int what = 0;
	if (events & LOOP_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & LOOP_WRITABLE)
		what |= CURL_CSELECT_OUT;
	if (events & LOOP_HANGUP)
		what |= CURL_CSELECT_ERR;
	act(one->fetch, watch->fd, what);
}

static void forget_socket(struct fetch_socket *one)
{
	loop_watch_stop(&one->watch);
	list_remove(&one->node);
	free(one);
}

static int watch_socket(struct fetch *fetch, struct fetch_socket *one, curl_socket_t fd,
			unsigned events)
{
	if (one)
		return loop_watch_change(&one->watch, events) < 0 ? -1 : 0;
	one = calloc(1, sizeof(*one));
	if (!one)
		return -1;
	one->fetch = fetch;
	if (loop_watch_start(&one->watch, fetch->loop, fd, events, on_ready) < 0) {
		free(one);
		return -1;
	}
	list_append(&fetch->sockets, &one->node);
	curl_multi_assign(fetch->multi, fd, one);
	return 0;
}

static int on_socket(CURL *easy ATTR_UNUSED, curl_socket_t fd, int what, void *user, void *socket)
{
	struct fetch_socket *one = socket;
	if (what == CURL_POLL_REMOVE) {
		if (one)
			forget_socket(one);
		return 0;
	}
	unsigned events = 0;
	if (what != CURL_POLL_OUT)
		events |= LOOP_READABLE;
	if (what != CURL_POLL_IN)
		events |= LOOP_WRITABLE;
	return watch_socket(user, one, fd, events);
}

static void on_time(struct loop_timer *timer)
{
	act(container_of(timer, struct fetch, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi ATTR_UNUSED, long in_ms, void *user)
{
	struct fetch *fetch = user;
	if (in_ms < 0) {
		loop_timer_stop(&fetch->timer);
		return 0;
	}
	return loop_timer_start(&fetch->timer, fetch->loop, (uint64_t)in_ms, 0, on_time) < 0 ? -1
											     : 0;
}

/* ---- one transfer ---- */

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct fetch *fetch = user;
	buffer_append(&fetch->body, data, size * count);
	return buffer_check(&fetch->body) < 0 ? 0 : size * count; /* 0 ends the transfer */
}

static void finish(struct fetch *fetch, CURLcode result)
{
	long status = 0;
	char why[CURL_ERROR_SIZE + 64] = "";
	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	if (buffer_check(&fetch->body) < 0)
		snprintf(why, sizeof(why), "the answer is larger than %d bytes", FETCH_SIZE_LIMIT);
	else if (result != CURLE_OK)
		snprintf(why, sizeof(why), "%s",
			 fetch->error[0] ? fetch->error : curl_easy_strerror(result));
	else if (status != 200)
		snprintf(why, sizeof(why), "the answer's status is %ld", status);
	curl_multi_remove_handle(fetch->multi, fetch->easy);
	fetch->under_way = false;
	fetch->on_done(fetch->owner, why[0] ? (struct bytes){0} : buffer_bytes(&fetch->body),
		       why[0] ? why : NULL);
}

static void act(struct fetch *fetch, curl_socket_t fd, int events)
{
	int running, left;
	curl_multi_socket_action(fetch->multi, fd, events, &running);
	for (CURLMsg *message; (message = curl_multi_info_read(fetch->multi, &left));)
		if (message->msg == CURLMSG_DONE)
			finish(fetch, message->data.result);
}

static bool set_options(struct fetch *fetch)
{
	CURL *easy = fetch->easy;
	struct curl_blob ca = {(void *)fetch->target.ca.data, fetch->target.ca.size,
			       CURL_BLOB_COPY};
	bool done =
	    curl_easy_setopt(easy, CURLOPT_URL, fetch->target.url) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)FETCH_TIMEOUT_MS) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_TIMEOUT_MS) ==
		CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->headers) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->error) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_USERAGENT, "croft/" CROFT_VERSION) == CURLE_OK;
	if (done && ca.len > 0)
		done = curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca) == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
	return done;
}

static bool set_callbacks(struct fetch *fetch)
{
	return curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
	       curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETDATA, fetch) == CURLM_OK &&
	       curl_multi_setopt(fetch->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
	       curl_multi_setopt(fetch->multi, CURLMOPT_TIMERDATA, fetch) == CURLM_OK;
}

int fetch_new(struct fetch **fetch, struct loop *loop, const struct fetch_target *target,
	      fetch_on_done *on_done, void *owner)
{
	struct fetch *made = calloc(1, sizeof(*made));
	if (!made)
		return error_origin(-ENOMEM);
	*made = (struct fetch){.loop = loop, .target = *target, .on_done = on_done, .owner = owner};
	made->body.limit = FETCH_SIZE_LIMIT;
	list_init(&made->sockets);
	made->multi = curl_multi_init();
	made->easy = curl_easy_init();
	made->headers =
	    curl_slist_append(NULL, "Accept: application/jwk-set+json, application/json");
	if (!made->multi || !made->easy || !made->headers || !set_options(made) ||
	    !set_callbacks(made)) {
		fetch_free(made);
		return error_origin(-ENOMEM);
	}
	*fetch = made;
	return 0;
}

void fetch_free(struct fetch *fetch)
{
	struct fetch_socket *one;
	if (!fetch)
		return;
	if (fetch->under_way)
		curl_multi_remove_handle(fetch->multi, fetch->easy);
	curl_easy_cleanup(fetch->easy);
	curl_multi_cleanup(fetch->multi);
	curl_slist_free_all(fetch->headers);
	list_for_each (one, &fetch->sockets, node)
		forget_socket(one);
	loop_timer_stop(&fetch->timer);
	buffer_free(&fetch->body);
	free(fetch);
}

int fetch_begin(struct fetch *fetch)
{
	if (fetch->under_way)
		return 1;
	buffer_clear(&fetch->body);
	fetch->error[0] = '\0';
	fetch->under_way = true;
	if (curl_multi_add_handle(fetch->multi, fetch->easy) != CURLM_OK) {
		fetch->under_way = false;
		return error_origin(-ENOMEM);
	}
	return 0;
}
