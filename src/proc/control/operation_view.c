#include "proc/control/operation_view.h"

#include "proc/control/fields.h"
#include "json/document.h"

static const char *state_of(const struct store_operation *row)
{
	if (row->state != STORE_OPERATION_OPEN)
		return row->outcome == OUTCOME_COMPLETED ? "completed" : "failed";
	return row->started_ms > 0 ? "running" : "queued";
}

static void write_usage(struct json *json, const struct outcome_usage *usage)
{
	json_object(json);
	json_key(json, "cpuMs");
	json_u64(json, usage->cpu_us / 1000);
	json_key(json, "memoryPeakBytes");
	json_u64(json, usage->memory_peak_bytes);
	json_key(json, "outputBytes");
	json_u64(json, usage->output_bytes);
	json_key(json, "writtenBytes");
	json_u64(json, usage->written_bytes);
	json_object_end(json);
}

struct problem operation_problem(const struct store_operation *row)
{
	struct problem problem = problem_of_outcome(row->outcome);
	if (text_is_utf8(row->detail))
		problem.detail = row->detail;
	return problem;
}

static void write_result(struct json *json, const struct store_operation *row)
{
	if (row->result.size > 0)
		json_raw(json, row->result);
	else
		json_null(json);
}

static void write_end(struct json *json, const struct store_operation *row)
{
	bool ended = row->state != STORE_OPERATION_OPEN;
	json_key(json, "result");
	write_result(json, row);
	json_key(json, "error");
	if (ended && row->outcome != OUTCOME_COMPLETED) {
		struct problem problem = operation_problem(row);
		problem_write(json, &problem);
	} else {
		json_null(json);
	}
	field_time(json, "createdAt", row->created_ms);
	field_time(json, "startedAt", row->started_ms);
	field_time(json, "endedAt", row->ended_ms);
	json_key(json, "usage");
	if (ended)
		write_usage(json, &row->usage);
	else
		json_null(json);
}

void operation_write(struct json *json, const struct store_operation *row)
{
	json_object(json);
	field_id(json, "id", ID_OPERATION, row->id);
	json_key(json, "type");
	json_cstring(json, operation_types[row->kind].name);
	json_key(json, "state");
	json_cstring(json, state_of(row));
	field_id(json, "project", ID_PROJECT, row->project);
	field_id(json, "workspace", ID_WORKSPACE, row->workspace);
	field_text(json, "correlationId", row->correlation);
	json_key(json, "actor");
	json_object(json);
	field_text(json, "type", row->actor_type);
	field_text(json, "id", row->actor);
	json_object_end(json);
	json_key(json, "input");
	json_raw(json, row->input.size > 0 ? row->input : TEXT("{}"));
	write_end(json, row);
	json_object_end(json);
}

void operation_write_queued(const struct store_operation *row, struct buffer *out)
{
	struct json json = json_to(out);
	json_object(&json);
	json_key(&json, "type");
	json_cstring(&json, operation_types[row->kind].name);
	json_key(&json, "position");
	json_u64(&json, row->position);
	json_object_end(&json);
}

void operation_write_terminal(const struct store_operation *row, struct buffer *out)
{
	struct json json = json_to(out);
	int64_t began = row->started_ms > 0 ? row->started_ms : row->ended_ms;
	json_object(&json);
	if (row->outcome == OUTCOME_COMPLETED) {
		json_key(&json, "result");
		write_result(&json, row);
	} else {
		struct problem problem = operation_problem(row);
		json_key(&json, "error");
		problem_write(&json, &problem);
	}
	json_key(&json, "usage");
	write_usage(&json, &row->usage);
	json_key(&json, "durationMs");
	json_u64(&json, row->ended_ms > began ? (uint64_t)(row->ended_ms - began) : 0);
	json_object_end(&json);
}

void operation_read_file(const struct store_operation *row, struct operation_file *file)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	*file = (struct operation_file){0};
	if (document_parse(text_bytes(row->result), OPERATION_RESULT_LIMIT, &document, &error) !=
		0 ||
	    document_kind(document_root(document)) != DOCUMENT_IS_OBJECT)
		return;
	const struct document_value *created = document_member(document_root(document), "created");
	const struct document_value *etag = document_member(document_root(document), "etag");
	file->created =
	    created && document_kind(created) == DOCUMENT_IS_BOOL && document_bool(created);
	if (etag && document_kind(etag) == DOCUMENT_IS_TEXT &&
	    document_text(etag).size < sizeof(file->etag))
		memcpy(file->etag, document_text(etag).data, document_text(etag).size);
}
