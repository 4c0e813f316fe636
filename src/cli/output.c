#include "output.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdio.h>
#include <unistd.h>

enum { COLUMNS_MAX = 8, CELL_SIZE = 256, REDRAW_MS = 100, BAR_WIDTH = 30 };

/* Terminals obey control characters, so none of the server's are passed on. */
static void clean(char *cell)
{
	for (; *cell; cell++)
		if ((unsigned char)*cell < 0x20 || *cell == 0x7f)
			*cell = '?';
}

static const struct document_value *find(const struct document_value *object, struct text path)
{
	char name[64];
	struct text head;
	while (object && path.size > 0) {
		text_split(&path, '.', &head);
		snprintf(name, sizeof(name), "%.*s", (int)head.size, head.data);
		object = document_kind(object) == DOCUMENT_IS_OBJECT ? document_member(object, name)
								     : NULL;
	}
	return object;
}

static void cell_of(const struct document_value *object, const char *member, char cell[CELL_SIZE])
{
	const struct document_value *value = find(object, text_of(member));
	enum document_kind kind = value ? document_kind(value) : DOCUMENT_IS_NULL;
	struct buffer out ATTR_BUFFER = {0};
	cell[0] = '\0';
	if (kind == DOCUMENT_IS_TEXT) {
		struct text text = document_text(value);
		snprintf(cell, CELL_SIZE, "%.*s", (int)text.size, text.data);
	} else if (kind != DOCUMENT_IS_NULL && document_write(value, false, &out) == 0) {
		snprintf(cell, CELL_SIZE, "%.*s", (int)out.size, (char *)out.data);
	}
	clean(cell);
}

void output_json(const struct document_value *value)
{
	struct buffer out ATTR_BUFFER = {0};
	if (document_write(value, false, &out) == 0)
		printf("%.*s\n", (int)out.size, (char *)out.data);
}

static void print_row(const struct document_value *item, const struct output_column *columns,
		      size_t count, const size_t *widths)
{
	char cell[CELL_SIZE];
	for (size_t i = 0; i < count; i++) {
		if (item)
			cell_of(item, columns[i].member, cell);
		else
			snprintf(cell, sizeof(cell), "%s", columns[i].title);
		printf("%-*s%s", i + 1 < count ? (int)widths[i] : 0, cell,
		       i + 1 < count ? "  " : "\n");
	}
}

void output_list(const struct cli *cli, const struct document *document,
		 const struct output_column *columns, size_t count)
{
	size_t widths[COLUMNS_MAX] = {0};
	char cell[CELL_SIZE];
	const struct document_value *root = document_root(document);
	if (cli->json) {
		output_json(root);
		return;
	}
	const struct document_value *items = document_member(root, "items");
	size_t rows = items && document_kind(items) == DOCUMENT_IS_LIST ? document_count(items) : 0;
	for (size_t c = 0; c < count; c++) {
		widths[c] = strlen(columns[c].title);
		for (size_t i = 0; i < rows; i++) {
			cell_of(document_element(items, i), columns[c].member, cell);
			if (strlen(cell) > widths[c])
				widths[c] = strlen(cell);
		}
	}
	if (isatty(STDOUT_FILENO))
		print_row(NULL, columns, count, widths);
	for (size_t i = 0; i < rows; i++)
		print_row(document_element(items, i), columns, count, widths);
	if (cli_member(root, "nextCursor").size && isatty(STDERR_FILENO))
		fputs("(there is more: use --json and nextCursor, or --limit)\n", stderr);
}

void output_object(const struct cli *cli, const struct document *document,
		   const struct output_column *columns, size_t count)
{
	char cell[CELL_SIZE];
	if (cli->json) {
		output_json(document_root(document));
		return;
	}
	for (size_t i = 0; i < count; i++) {
		cell_of(document_root(document), columns[i].member, cell);
		if (*cell)
			printf("%-14s%s\n", columns[i].title, cell);
	}
}

static void print_size(int64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;
	for (; value >= 1024 && unit + 1 < ARRAY_SIZE(units); unit++)
		value /= 1024;
	fprintf(stderr, "%.*f %s", unit ? 1 : 0, value, units[unit]);
}

void progress_draw(struct progress *progress, const struct cli *cli, int64_t done, int64_t total)
{
	uint64_t now = clock_monotonic_ms();
	if (cli->quiet || !isatty(STDERR_FILENO) || now - progress->drawn_ms < REDRAW_MS)
		return;
	progress->drawn_ms = now;
	progress->shown = true;
	fprintf(stderr, "\r\033[K%s  ", progress->label);
	if (total > 0) {
		int filled = (int)(done * BAR_WIDTH / total);
		for (int i = 0; i < BAR_WIDTH; i++)
			fputc(i < filled ? '#' : '.', stderr);
		fprintf(stderr, " %3d%%  ", (int)(done * 100 / total));
	}
	print_size(done);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
