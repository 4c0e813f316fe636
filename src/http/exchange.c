#include "http/exchange.h"

#include "base/clock.h"
#include "http/server_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

struct text http_exchange_method(const struct http_exchange *exchange)
{
	return exchange->method;
}

struct text http_exchange_target(const struct http_exchange *exchange)
{
	return exchange->target;
}

struct text http_exchange_path(const struct http_exchange *exchange)
{
	struct text rest = exchange->target, path;
	text_split(&rest, '?', &path);
	return path;
}

struct text http_exchange_query(const struct http_exchange *exchange)
{
	struct text rest = exchange->target, path;
	text_split(&rest, '?', &path);
	return rest;
}

struct text http_exchange_field(const struct http_exchange *exchange, struct text name)
{
	for (size_t i = 0; i < exchange->n_fields; i++)
		if (text_equal(exchange->fields[i].name, name))
			return exchange->fields[i].value;
	return (struct text){0};
}

size_t http_exchange_count(const struct http_exchange *exchange, struct text name)
{
	size_t count = 0;
	for (size_t i = 0; i < exchange->n_fields; i++)
		count += text_equal(exchange->fields[i].name, name);
	return count;
}

const char *http_exchange_address(const struct http_exchange *exchange)
{
	return exchange->connection->address;
}

bool http_exchange_is_loopback(const struct http_exchange *exchange)
{
	return exchange->connection->is_loopback;
}

bool http_exchange_has_body(const struct http_exchange *exchange)
{
	return exchange->has_body;
}

uint64_t http_exchange_body_size(const struct http_exchange *exchange)
{
	return exchange->body_size;
}

void http_exchange_set_owner(struct http_exchange *exchange, void *owner)
{
	exchange->owner = owner;
}

void *http_exchange_owner(const struct http_exchange *exchange)
{
	return exchange->owner;
}

void http_exchange_release(struct http_exchange *exchange)
{
	buffer_free(&exchange->head);
	free(exchange->fields);
	exchange->fields = NULL;
	exchange->n_fields = 0;
	exchange->method = exchange->target = TEXT("");
}

void http_exchange_forget_head(struct http_exchange *exchange)
{
	http_exchange_release(exchange);
}

void http_exchange_tell_body_end(struct http_exchange *exchange)
{
	if (exchange->body_is_over)
		return;
	exchange->body_is_over = true;
	exchange->connection->server->events->on_body_end(exchange);
}

void http_exchange_tell_closed(struct http_exchange *exchange, bool complete)
{
	exchange->connection->server->events->on_closed(exchange, complete);
}

void http_exchange_pause_body(struct http_exchange *exchange)
{
	exchange->is_paused = true;
	if (!exchange->is_aborted)
		exchange->ops->set_paused(exchange, true);
}

void http_exchange_resume_body(struct http_exchange *exchange)
{
	exchange->is_paused = false;
	if (!exchange->is_aborted)
		exchange->ops->set_paused(exchange, false);
}

void http_exchange_head(struct http_exchange *exchange, int status, const struct http_field *fields,
			size_t count, uint64_t length)
{
	assert(!exchange->has_answer_head);
	exchange->has_answer_head = true;
	if (!exchange->is_aborted)
		exchange->ops->head(exchange, status, fields, count, length);
}

void http_exchange_data(struct http_exchange *exchange, struct bytes piece)
{
	assert(exchange->has_answer_head && !exchange->is_ended);
	if (!exchange->is_aborted && piece.size > 0)
		exchange->ops->data(exchange, piece);
}

void http_exchange_end(struct http_exchange *exchange)
{
	assert(exchange->has_answer_head);
	if (exchange->is_ended || exchange->is_aborted)
		return;
	exchange->is_ended = true;
	exchange->ops->end(exchange);
}

void http_exchange_abort(struct http_exchange *exchange)
{
	if (exchange->is_aborted)
		return;
	exchange->is_aborted = true;
	exchange->ops->abort(exchange);
}

size_t http_exchange_backlog(const struct http_exchange *exchange)
{
	return exchange->ops->backlog(exchange);
}

static bool is_ours(struct text name)
{
	static const struct text ours[] = {TEXT("connection"),        TEXT("content-length"),
					   TEXT("transfer-encoding"), TEXT("keep-alive"),
					   TEXT("upgrade"),           TEXT("date")};
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (text_equal_ignoring_case(name, ours[i]))
			return true;
	return false;
}

bool http_is_token(struct text text)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		bool alphanumeric =
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!alphanumeric && (c == '\0' || !strchr(others, c)))
			return false;
	}
	return text.size > 0;
}

bool http_is_target(struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c <= 0x20 || c >= 0x7f || c == '#')
			return false;
	}
	return text.size > 0;
}

bool http_is_authority(struct text text)
{
	static const char foreign[] = " \t,/\\@?#<>\"";
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] == '\0' || strchr(foreign, text.data[i]))
			return false;
	return true;
}

bool http_is_field_value(struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

bool http_field_may_be_sent(const struct http_field *field)
{
	return !is_ours(field->name) && http_is_token(field->name) &&
	       http_is_field_value(field->value);
}

static bool has_option(struct text list, struct text option)
{
	struct text item;
	while (list.size > 0) {
		text_split(&list, ',', &item);
		if (text_equal_ignoring_case(text_trim(item), option))
			return true;
	}
	return false;
}

bool http_fields_list(const struct http_field *fields, size_t count, struct text name,
		      struct text option)
{
	for (size_t i = 0; i < count; i++)
		if (text_equal(fields[i].name, name) && has_option(fields[i].value, option))
			return true;
	return false;
}

struct text http_date(char text[HTTP_DATE_SIZE])
{
	struct tm parts;
	time_t now = (time_t)(clock_wall_ms() / 1000);
	gmtime_r(&now, &parts);
	size_t size = strftime(text, HTTP_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &parts);
	return (struct text){text, size};
}

struct status_text {
	int status;
	const char *text;
};

const char *http_status_text(int status)
{
	static const struct status_text texts[] = {
	    {101, "Switching Protocols"},
	    {200, "OK"},
	    {201, "Created"},
	    {202, "Accepted"},
	    {204, "No Content"},
	    {206, "Partial Content"},
	    {304, "Not Modified"},
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {406, "Not Acceptable"},
	    {408, "Request Timeout"},
	    {409, "Conflict"},
	    {410, "Gone"},
	    {411, "Length Required"},
	    {412, "Precondition Failed"},
	    {413, "Content Too Large"},
	    {414, "URI Too Long"},
	    {415, "Unsupported Media Type"},
	    {416, "Range Not Satisfiable"},
	    {417, "Expectation Failed"},
	    {422, "Unprocessable Content"},
	    {426, "Upgrade Required"},
	    {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"},
	    {501, "Not Implemented"},
	    {503, "Service Unavailable"},
	    {504, "Gateway Timeout"},
	    {505, "HTTP Version Not Supported"},
	    {507, "Insufficient Storage"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Status";
}
