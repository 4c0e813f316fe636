/* What is said to an operation that runs: input, signals, the size of its terminal. */
#include "base/encode.h"
#include "base/error.h"
#include "proc/control/answer.h"
#include "proc/control/calls.h"
#include "proc/control/operation.h"

#include <errno.h>
#include <signal.h>

/* 0; 1: answered. */
static int check_running(struct control_request *request)
{
	struct store *store = request->control->store;
	struct store_operation row;
	int r = store->operations->get(store, request->operation_id, &request->arena, &row);
	if (r != 0) {
		control_answer_outcome(request, r);
		return 1;
	}
	operations_refresh(request->control->operations, &row);
	if (!(operation_types[row.kind].flags & OPERATION_TAKES_INPUT)) {
		control_answer_problem(request, PROBLEM_INPUT_NOT_TAKEN, NULL);
		return 1;
	}
	if (row.state == STORE_OPERATION_OPEN && row.started_ms > 0)
		return 0;
	control_answer_problem(request, PROBLEM_CONFLICT, "the operation is not running");
	return 1;
}

static void pass_on(struct control_request *request, unsigned type, const void *message)
{
	if (worker_link_send(request->control->worker, type, message) < 0)
		control_answer_problem(request, PROBLEM_WORKER_UNAVAILABLE, NULL);
	else
		control_answer_empty(request, 204, UINT64_MAX);
}

struct input_fields {
	struct text data, base64;
	bool eof;
};

static const struct document_field input_table[] = {
    {"data", DOCUMENT_RAW_TEXT, .offset = offsetof(struct input_fields, data),
     .limit = INLINE_CONTENT_LIMIT},
    {"dataBase64", DOCUMENT_TEXT, .offset = offsetof(struct input_fields, base64),
     .limit = JSON_BODY_LIMIT},
    {"eof", DOCUMENT_BOOL, .offset = offsetof(struct input_fields, eof)},
};

void operation_input(struct control_request *request)
{
	const struct document_table table = {input_table, ARRAY_SIZE(input_table)};
	struct buffer decoded ATTR_BUFFER = {.limit = INLINE_CONTENT_LIMIT};
	struct input_fields fields = {0};
	uint64_t present;
	if (control_request_body(request, table, &fields, &present) || check_running(request))
		return;
	int r = (present & 3) == 3 ? 1 : decode_base64(&decoded, fields.base64);
	if (r != 0 || buffer_check(&decoded) < 0) {
		control_answer_problem(request, PROBLEM_INVALID_INPUT,
				       "\"data\" or \"dataBase64\", at most 1 MiB");
		return;
	}
	struct control_worker_input message = {
	    .operation = request->operation_id,
	    .data = fields.data.size > 0 ? text_bytes(fields.data) : buffer_bytes(&decoded),
	    .eof = fields.eof,
	};
	pass_on(request, CONTROL_WORKER_INPUT, &message);
}

struct signal_fields {
	struct text name;
};

static const struct document_field signal_table[] = {
    {"signal", DOCUMENT_TEXT, true, .offset = offsetof(struct signal_fields, name), .limit = 16},
};

struct signal_name {
	const char *name;
	int number;
};

static const struct signal_name signal_names[] = {
    {"SIGHUP", SIGHUP},   {"SIGINT", SIGINT},   {"SIGQUIT", SIGQUIT},   {"SIGKILL", SIGKILL},
    {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}, {"SIGTERM", SIGTERM},   {"SIGCONT", SIGCONT},
    {"SIGSTOP", SIGSTOP}, {"SIGTSTP", SIGTSTP}, {"SIGWINCH", SIGWINCH},
};

void operation_signal(struct control_request *request)
{
	const struct document_table table = {signal_table, ARRAY_SIZE(signal_table)};
	struct signal_fields fields = {0};
	struct control_worker_signal message = {.operation = request->operation_id};
	uint64_t present;
	if (control_request_body(request, table, &fields, &present) || check_running(request))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(signal_names); i++)
		if (text_equal(fields.name, text_of(signal_names[i].name)))
			message.number = (uint8_t)signal_names[i].number;
	if (message.number == 0)
		control_answer_problem(request, PROBLEM_INVALID_INPUT,
				       "\"signal\" must be a signal such as SIGINT");
	else
		pass_on(request, CONTROL_WORKER_SIGNAL, &message);
}

struct size_fields {
	uint64_t cols, rows;
};

enum { TERMINAL_SIDE_LIMIT = 10000 };

static const struct document_field size_table[] = {
    {"cols", DOCUMENT_U64, true, .offset = offsetof(struct size_fields, cols), .minimum = 1,
     .limit = TERMINAL_SIDE_LIMIT},
    {"rows", DOCUMENT_U64, true, .offset = offsetof(struct size_fields, rows), .minimum = 1,
     .limit = TERMINAL_SIDE_LIMIT},
};

void operation_resize(struct control_request *request)
{
	const struct document_table table = {size_table, ARRAY_SIZE(size_table)};
	struct size_fields fields = {0};
	uint64_t present;
	if (control_request_body(request, table, &fields, &present) || check_running(request))
		return;
	struct control_worker_resize message = {request->operation_id, (uint16_t)fields.cols,
						(uint16_t)fields.rows};
	pass_on(request, CONTROL_WORKER_RESIZE, &message);
}
