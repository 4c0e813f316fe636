/* The hunks of one file, laid over its lines. */
#include "patch.h"

#include <errno.h>
#include <stdlib.h>

/* A file as lines, each with its line feed if it has one. */
struct lines {
	struct text *at;
	size_t count;
};

static int split_lines(struct text content, struct lines *lines)
{
	size_t count = 0;
	for (size_t i = 0; i < content.size; i++)
		count += content.data[i] == '\n' || i + 1 == content.size;
	lines->at = calloc(count + 1, sizeof(*lines->at));
	if (!lines->at)
		return -ENOMEM;
	for (const char *at = content.data; lines->count < count;) {
		size_t left = (size_t)(content.data + content.size - at);
		const char *feed = memchr(at, '\n', left);
		size_t size = feed ? (size_t)(feed - at) + 1 : left;
		lines->at[lines->count++] = (struct text){at, size};
		at += size;
	}
	return 0;
}

/* A line of a hunk: what it does, and its text. */
struct hunk_line {
	char kind;
	struct text text;
	bool has_feed; /* false before "\ No newline at end of file" */
};

static bool next_hunk_line(struct text *body, struct hunk_line *line)
{
	struct text raw;
	if (!body->data)
		return false;
	text_split(body, '\n', &raw);
	if (text_starts(raw, TEXT("\\")))
		return next_hunk_line(body, line);
	line->kind = raw.size ? raw.data[0] : ' ';
	line->text = raw.size ? text_skip(raw, 1) : raw;
	line->has_feed = !text_starts(*body, TEXT("\\"));
	return true;
}

static bool is_same(struct text in_file, const struct hunk_line *line)
{
	bool has_feed = text_ends(in_file, TEXT("\n"));
	struct text bare = {in_file.data, in_file.size - has_feed};
	return has_feed == line->has_feed && text_equal(bare, line->text);
}

static bool matches_at(const struct patch_hunk *hunk, const struct lines *lines, size_t at)
{
	struct text body = hunk->body;
	struct hunk_line line;
	if (at > lines->count || hunk->old_count > lines->count - at)
		return false;
	while (next_hunk_line(&body, &line)) {
		if (line.kind == '+')
			continue;
		if (at == lines->count || !is_same(lines->at[at], &line))
			return false;
		at++;
	}
	return true;
}

/* The place nearest to `wanted`, not before `from`. */
static bool find_place(const struct patch_hunk *hunk, const struct lines *lines, size_t from,
		       size_t wanted, size_t *place)
{
	if (wanted < from)
		wanted = from;
	for (size_t away = 0; away <= lines->count; away++) {
		bool below = wanted + away <= lines->count, above = away <= wanted - from;
		if (above && matches_at(hunk, lines, wanted - away)) {
			*place = wanted - away;
			return true;
		}
		if (below && matches_at(hunk, lines, wanted + away)) {
			*place = wanted + away;
			return true;
		}
	}
	return false;
}

static void copy_lines(const struct lines *lines, size_t from, size_t to, struct buffer *after)
{
	for (size_t i = from; i < to; i++)
		buffer_append_text(after, lines->at[i]);
}

static void write_hunk(const struct patch_hunk *hunk, struct buffer *after)
{
	struct text body = hunk->body;
	struct hunk_line line;
	while (next_hunk_line(&body, &line)) {
		if (line.kind == '-')
			continue;
		buffer_append_text(after, line.text);
		if (line.has_feed)
			buffer_append_byte(after, '\n');
	}
}

static int apply_all(const struct patch_hunk *hunks, size_t count, const struct lines *lines,
		     struct buffer *after, size_t *failed)
{
	size_t done = 0;   /* lines of the old file that have been dealt with */
	int64_t drift = 0; /* how far hunks were from where the diff says */
	for (size_t i = 0; i < count; i++) {
		int64_t said = (int64_t)hunks[i].old_line - (hunks[i].old_count > 0) + drift;
		size_t place;
		if (!find_place(&hunks[i], lines, done, said < 0 ? 0 : (size_t)said, &place)) {
			*failed = i + 1;
			return 1;
		}
		drift += (int64_t)place - said;
		copy_lines(lines, done, place, after);
		write_hunk(&hunks[i], after);
		done = place + hunks[i].old_count;
	}
	copy_lines(lines, done, lines->count, after);
	return buffer_check(after);
}

int patch_apply(const struct patch *patch, const struct patch_file *file, struct text before,
		struct buffer *after, size_t *failed)
{
	struct lines lines = {0};
	int r = split_lines(before, &lines);
	if (r == 0)
		r = apply_all(patch->hunks + file->first_hunk, file->n_hunks, &lines, after,
			      failed);
	free(lines.at);
	return r;
}
