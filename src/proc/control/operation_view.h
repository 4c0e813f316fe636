/* How clients see an operation: the object of the API, and the `data` of the events that control
 * writes, all from the row. */
#pragma once

#include "base/json.h"
#include "port/store/operations.h"

void operation_write(struct json *json, const struct store_operation *row);
void operation_write_queued(const struct store_operation *row, struct buffer *out);
void operation_write_terminal(const struct store_operation *row, struct buffer *out);
/* Its result says {"created":true}. */
bool operation_created_file(const struct store_operation *row);
struct problem operation_problem(const struct store_operation *row);
