/* What commands print: tables for people, the server's JSON for programs. */
#pragma once

#include "command.h"

struct output_column {
	const char *title;
	const char *member; /* of each item; "a.b" goes into a nested object */
};

/* The items of a list answer as a table, or the answer as it is with --json. */
void output_list(const struct cli *cli, const struct document *document,
		 const struct output_column *columns, size_t count);

/* One object: "title: value" lines, or JSON. */
void output_object(const struct cli *cli, const struct document *document,
		   const struct output_column *columns, size_t count);

void output_json(const struct document_value *value);

/* A progress bar on standard error, drawn only on a terminal and at most ten times a second. */
struct progress {
	const char *label;
	bool shown;
	uint64_t drawn_ms;
};
void progress_draw(struct progress *progress, const struct cli *cli, int64_t done, int64_t total);
void progress_end(struct progress *progress);
