/* How clients see an operation: the object of the API, and the `data` of the events that control
 * writes, all from the row. */
#pragma once

#include "base/json.h"
#include "port/store/operations.h"

void operation_write(struct json *json, const struct store_operation *row);
void operation_write_queued(const struct store_operation *row, struct buffer *out);
void operation_write_terminal(const struct store_operation *row, struct buffer *out);

/* What the result of a write says for the headers of its answer. */
struct operation_file {
	bool created;
	char etag[64]; /* "" if it names none */
};
void operation_read_file(const struct store_operation *row, struct operation_file *file);
struct problem operation_problem(const struct store_operation *row);
