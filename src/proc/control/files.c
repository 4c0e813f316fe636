/* Files and archives without JSON. Each is an operation like any other; the bytes go through the
 * gateway's pipe or, when there are few, with the messages. */
#include "base/clock.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "proc/control/answer.h"
#include "proc/control/calls.h"
#include "proc/control/operation.h"
#include "proc/control/operation_right.h"
#include "proc/control/operation_view.h"
#include "proc/control/replay.h"
#include "proto/etag.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

struct transfer {
	struct request_waiter waiter;
	struct operation_watch watch;
	struct control_request *request;
	struct uuid id;
	struct operation_input input;
	struct replay replay;
	bool has_range, is_upload;
};

static struct control_request *leave(struct transfer *transfer)
{
	operation_watch_detach(&transfer->watch);
	transfer->request->waiter = NULL;
	return transfer->request;
}

static void on_body_end(struct request_waiter *waiter, bool whole, uint64_t size)
{
	struct transfer *transfer = container_of(waiter, struct transfer, waiter);
	operations_body_end(transfer->request->control->operations, transfer->id, whole, size);
}

/* The rest of the upload will not come. */
static void on_abandoned(struct request_waiter *waiter)
{
	struct transfer *transfer = container_of(waiter, struct transfer, waiter);
	if (transfer->is_upload)
		on_body_end(waiter, false, 0);
}

static void on_refused(struct operation_watch *watch, int outcome, enum problem_code code)
{
	struct control_request *request = leave(container_of(watch, struct transfer, watch));
	if (outcome != 0)
		control_answer_outcome(request, outcome);
	else
		control_answer_problem(request, code, NULL);
}

/* ---- what comes out ---- */

static uint16_t write_head(struct transfer *transfer, const struct control_worker_opened *opened)
{
	struct control_request *request = transfer->request;
	char range[80], modified[CLOCK_HTTP_SIZE];
	if (opened->etag.size > 0)
		control_answer_header(request, "etag", opened->etag);
	if (!opened->has_size)
		return 200;
	clock_format_http(opened->modified_ms, modified);
	control_answer_header(request, "last-modified", text_of(modified));
	control_answer_header(request, "accept-ranges", TEXT("bytes"));
	if (!transfer->has_range)
		return 200;
	if (opened->length == 0)
		snprintf(range, sizeof(range), "bytes */%" PRIu64, opened->size);
	else
		snprintf(range, sizeof(range), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
			 opened->offset, opened->offset + opened->length - 1, opened->size);
	control_answer_header(request, "content-range", text_of(range));
	return opened->length == 0 ? 416 : 206;
}

/* RFC 9110, 13.2.2: of the two the tag decides. The date is what we gave as Last-Modified, or it is
 * none that we know. */
static bool is_known(const struct control_request *request,
		     const struct control_worker_opened *opened)
{
	char modified[CLOCK_HTTP_SIZE];
	struct text tags = control_request_header(request, "if-none-match");
	struct text since = control_request_header(request, "if-modified-since");
	if (opened->etag.size == 0)
		return false;
	if (tags.size > 0)
		return etag_list_has(tags, opened->etag, true);
	clock_format_http(opened->modified_ms, modified);
	return text_equal(since, text_of(modified));
}

static void on_opened(struct operation_watch *watch, const struct control_worker_opened *opened)
{
	struct transfer *transfer = container_of(watch, struct transfer, watch);
	struct control_request *request = transfer->request;
	if (request->head_sent)
		return;
	uint16_t status = write_head(transfer, opened);
	if (is_known(request, opened))
		control_answer_empty(leave(transfer), 304, UINT64_MAX);
	else if (status == 416)
		control_answer_problem(leave(transfer), PROBLEM_RANGE_NOT_SATISFIABLE, NULL);
	else if (request->in->head)
		control_answer_empty(leave(transfer), status,
				     opened->has_size ? opened->length : UINT64_MAX);
	else if (opened->inline_content) {
		control_answer_bytes(leave(transfer), status, "application/octet-stream",
				     opened->content);
	} else {
		control_answer_header(request, "content-type", TEXT("application/octet-stream"));
		control_answer_stream_head(request, status, opened->has_size, opened->length);
	}
}

static void answer_file(struct control_request *request, const struct store_operation *row)
{
	struct buffer body ATTR_BUFFER = {0};
	struct operation_file file;
	operation_read_file(row, &file);
	if (file.etag[0])
		control_answer_header(request, "etag", text_of(file.etag));
	buffer_append_text(&body, row->result.size > 0 ? row->result : TEXT("{}"));
	control_answer_json(request, file.created ? 201 : 200, &body);
}

static void answer_end(struct control_request *request, const struct store_operation *row)
{
	if (request->head_sent) {
		control_answer_stream_end(request, row->outcome != OUTCOME_COMPLETED);
	} else if (row->outcome != OUTCOME_COMPLETED) {
		struct id_text id = id_format(ID_OPERATION, row->id);
		struct problem problem = operation_problem(row);
		problem.operation = text_of(id.data);
		control_answer_problem_document(request, &problem);
	} else if (row->kind == OPERATION_FS_REMOVE) {
		control_answer_empty(request, 204, UINT64_MAX);
	} else {
		answer_file(request, row);
	}
}

static void on_ended(struct operation_watch *watch, const struct store_operation *row)
{
	answer_end(leave(container_of(watch, struct transfer, watch)), row);
}

/* ---- the same again ---- */

static void answer_stored(struct control_request *request, struct uuid id)
{
	struct store *store = request->control->store;
	struct store_operation row;
	int r = store->operations->get(store, id, &request->arena, &row);
	if (r != 0)
		control_answer_outcome(request, r);
	else
		answer_end(request, &row);
}

/* Of the body that comes with it nothing is read. */
static void answer_again(struct transfer *transfer)
{
	struct control_request *request = transfer->request;
	struct uuid first = transfer->replay.record.object;
	replay_mark(request);
	control_answer_header(request, "croft-operation",
			      text_of(id_format(ID_OPERATION, first).data));
	transfer->watch = (struct operation_watch){.on_refused = on_refused, .on_ended = on_ended};
	transfer->waiter = (struct request_waiter){0};
	request->waiter = &transfer->waiter;
	if (operations_watch(request->control->operations, first, &transfer->watch) == 0)
		return;
	request->waiter = NULL;
	answer_stored(request, first);
}

/* ---- what is asked for ---- */

static int read_path(struct control_request *request, struct text path)
{
	if (path.size >= 1 && path.size <= PATH_LIMIT && text_is_utf8(path) &&
	    !text_has(path, '\0'))
		return 0;
	control_answer_problem(request, PROBLEM_INVALID_INPUT,
			       "the path must be 1 to %d bytes of UTF-8 without NUL", PATH_LIMIT);
	return 1;
}

/* One range of bytes; what is no such range is ignored (RFC 9110, 14.2). */
static void read_range(struct transfer *transfer)
{
	struct text range = control_request_header(transfer->request, "range");
	struct text first;
	uint64_t from, to;
	/* Which version it is, is known too late to judge If-Range: then the whole file is sent. */
	if (!text_starts(range, TEXT("bytes=")) ||
	    control_request_header(transfer->request, "if-range").size > 0)
		return;
	range = text_skip(range, TEXT("bytes=").size);
	text_split(&range, '-', &first);
	if (first.size == 0 && text_parse_u64(range, INT64_MAX, &to) == 0 && to > 0) {
		transfer->input.offset = OFFSET_FROM_END;
		transfer->input.length = to;
		transfer->has_range = true;
	} else if (text_parse_u64(first, INT64_MAX, &from) == 0 &&
		   (range.size == 0 ||
		    (text_parse_u64(range, INT64_MAX, &to) == 0 && to >= from))) {
		transfer->input.offset = from;
		transfer->input.length = range.size > 0 ? to - from + 1 : 0;
		transfer->has_range = true;
	}
}

/* A HEAD comes without a pipe: nobody reads what would come out. */
static int output_pipe(struct control_request *request)
{
	int ends[2];
	if (request->pipe >= 0)
		return descriptor_take(&request->pipe);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	close(ends[0]);
	return ends[1];
}

static struct transfer *transfer_new(struct control_request *request, struct text path)
{
	struct transfer *transfer = arena_alloc(&request->arena, sizeof(*transfer));
	if (!transfer) {
		control_answer_outcome(request, error_origin(-ENOMEM));
		return NULL;
	}
	*transfer = (struct transfer){
	    .waiter = {.on_abandoned = on_abandoned, .on_body_end = on_body_end},
	    .watch = {.on_refused = on_refused, .on_opened = on_opened, .on_ended = on_ended},
	    .request = request,
	    .id = uuid_new(request->received_ms),
	    .input.path = path,
	    .input.parents = true,
	};
	return transfer;
}

/* 0; 1: answered. */
static int read_conditions(struct transfer *transfer)
{
	struct control_request *request = transfer->request;
	struct text match = control_request_header(request, "if-match");
	struct text none_match = control_request_header(request, "if-none-match");
	transfer->input.if_match = match;
	if (match.size <= ETAG_LIST_LIMIT && none_match.size <= ETAG_LIST_LIMIT)
		return 0;
	control_answer_problem(request, PROBLEM_INVALID_INPUT,
			       "If-Match and If-None-Match may have %d bytes at most",
			       ETAG_LIST_LIMIT);
	return 1;
}

static void admit(struct transfer *transfer, enum operation_kind kind, enum body_direction body,
		  int pipe)
{
	struct control_request *request = transfer->request;
	struct buffer text ATTR_BUFFER = {0};
	struct json json = json_to(&text);
	struct id_text id = id_format(ID_OPERATION, transfer->id);
	json_object(&json);
	json_key(&json, "path");
	json_text(&json, transfer->input.path);
	json_object_end(&json);
	struct operation_order order = {
	    .id = transfer->id,
	    .kind = kind,
	    .input = &transfer->input,
	    .json = buffer_text(&text),
	    .correlation = text_of(id.data),
	    .timeout_ms = operations_settings(request->control->operations)->timeout_ms,
	    .replay = replay_record(&transfer->replay),
	    .ephemeral = true,
	    .body = body,
	    .pipe = pipe,
	    .body_size = request->in->body_size,
	};
	if (buffer_check(&text) < 0) {
		descriptor_close(&pipe);
		control_answer_outcome(request, error_origin(-ENOMEM));
		return;
	}
	control_answer_header(request, "croft-operation", text_of(id.data));
	request->waiter = &transfer->waiter;
	int r = operations_admit(request, &order, &transfer->watch);
	if (r == 0)
		return;
	request->waiter = NULL;
	if (r == 1)
		control_answer_problem(request, PROBLEM_QUEUE_FULL, NULL);
	else
		control_answer_outcome(request, r);
}

/* Reading has no effect that could come twice: there a key is not looked at. */
static void begin(struct transfer *transfer, enum operation_kind kind, enum body_direction body,
		  int pipe)
{
	struct control_request *request = transfer->request;
	int held ATTR_DESCRIPTOR = pipe;
	enum replay_verdict verdict = REPLAY_NEW;
	if (operation_check_right(request, kind) || read_conditions(transfer))
		return;
	if (operation_types[kind].flags & OPERATION_WRITES)
		verdict = replay_check(request, transfer->id, &transfer->replay);
	if (verdict == REPLAY_AGAIN)
		answer_again(transfer);
	else if (verdict == REPLAY_NEW)
		admit(transfer, kind, body, descriptor_take(&held));
}

static void fill_upload(struct transfer *transfer)
{
	struct control_request *request = transfer->request;
	transfer->input.if_none_match = control_request_header(request, "if-none-match");
	transfer->input.has_content = request->pipe < 0;
	transfer->input.content = request->in->body;
}

static void upload(struct transfer *transfer, enum operation_kind kind)
{
	bool streamed = transfer->request->pipe >= 0;
	fill_upload(transfer);
	transfer->is_upload = streamed;
	begin(transfer, kind, streamed ? BODY_IN : BODY_NONE,
	      descriptor_take(&transfer->request->pipe));
}

void file_get(struct control_request *request)
{
	if (read_path(request, request->in->path))
		return;
	struct transfer *transfer = transfer_new(request, request->in->path);
	if (!transfer)
		return;
	read_range(transfer);
	begin(transfer, OPERATION_FS_READ, BODY_OUT, output_pipe(request));
}

void file_put(struct control_request *request)
{
	if (read_path(request, request->in->path))
		return;
	struct transfer *transfer = transfer_new(request, request->in->path);
	if (transfer)
		upload(transfer, OPERATION_FS_WRITE);
}

void file_delete(struct control_request *request)
{
	static const char *const known[] = {"recursive", NULL};
	struct text recursive = control_request_query(request, "recursive");
	if (control_request_check_query(request, known) || read_path(request, request->in->path))
		return;
	if (recursive.data && !text_equal(recursive, TEXT("true")) &&
	    !text_equal(recursive, TEXT("false"))) {
		control_answer_problem(request, PROBLEM_INVALID_INPUT,
				       "\"recursive\" must be true or false");
		return;
	}
	struct transfer *transfer = transfer_new(request, request->in->path);
	if (!transfer)
		return;
	transfer->input.recursive = text_equal(recursive, TEXT("true"));
	begin(transfer, OPERATION_FS_REMOVE, BODY_NONE, -1);
}

static struct transfer *archive_new(struct control_request *request)
{
	static const char *const known[] = {"format", "path", NULL};
	struct text path = control_request_query(request, "path");
	if (control_request_check_query(request, known))
		return NULL;
	path = path.data ? path : TEXT("/project");
	if (read_path(request, path))
		return NULL;
	struct transfer *transfer = transfer_new(request, path);
	if (transfer)
		transfer->input.format = control_request_query(request, "format");
	return transfer;
}

void archive_get(struct control_request *request)
{
	struct transfer *transfer = archive_new(request);
	if (transfer)
		begin(transfer, OPERATION_FS_EXPORT, BODY_OUT, output_pipe(request));
}

void archive_put(struct control_request *request)
{
	struct transfer *transfer = archive_new(request);
	if (transfer)
		upload(transfer, OPERATION_FS_IMPORT);
}
