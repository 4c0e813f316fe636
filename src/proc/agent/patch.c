#include "patch.h"

#include <errno.h>

struct reader {
	struct text rest;
	size_t line;
};

static bool next_line(struct reader *reader, struct text *line)
{
	if (reader->rest.size == 0)
		return false;
	text_split(&reader->rest, '\n', line);
	reader->line++;
	return true;
}

static int malformed(struct patch *patch, const struct reader *reader, const char *why)
{
	patch->line = reader->line;
	patch->why = why;
	return 1;
}

bool patch_name_is_inside(struct text name)
{
	if (name.size == 0 || name.data[0] == '/' || text_has(name, '\0'))
		return false;
	while (name.size > 0) {
		struct text part;
		text_split(&name, '/', &part);
		if (text_equal(part, TEXT("..")))
			return false;
	}
	return true;
}

/* ---- names ---- */

static size_t unescape(struct text quoted, size_t at, char *out)
{
	static const char letters[] = "abtnvfr", meanings[] = "\a\b\t\n\v\f\r";
	unsigned value = 0;
	size_t digits = 0;
	while (digits < 3 && at + digits < quoted.size && quoted.data[at + digits] >= '0' &&
	       quoted.data[at + digits] <= '7')
		value = value * 8 + (unsigned)(quoted.data[at + digits++] - '0');
	if (digits > 0) {
		*out = (char)(value & 0xff);
		return digits;
	}
	const char *letter = quoted.data[at] ? strchr(letters, quoted.data[at]) : NULL;
	*out = letter ? meanings[letter - letters] : quoted.data[at];
	return 1;
}

/* Git writes names that are not plain ASCII in quotes, with C's escapes. */
static int unquote(struct patch *patch, struct text *name)
{
	if (name->size < 2 || name->data[0] != '"')
		return 0;
	char *out = arena_alloc(&patch->arena, name->size);
	size_t size = 0;
	if (!out)
		return -ENOMEM;
	for (size_t i = 1; i + 1 < name->size; i++) {
		if (name->data[i] == '\\' && i + 2 < name->size)
			i += unescape(*name, i + 1, &out[size++]);
		else
			out[size++] = name->data[i];
	}
	*name = (struct text){out, size};
	return 0;
}

static struct text without_return(struct text line)
{
	if (text_ends(line, TEXT("\r")))
		line.size--;
	return line;
}

/* The name in a "---" or "+++" line: without the time that follows a tab. */
static int header_name(struct patch *patch, struct text line, struct text *name)
{
	struct text rest = without_return(line);
	text_split(&rest, '\t', name);
	int r = unquote(patch, name);
	if (text_equal(*name, TEXT("/dev/null")))
		*name = (struct text){0};
	return r;
}

static void strip_side(struct text *name, struct text side)
{
	if (text_starts(*name, side))
		*name = text_skip(*name, side.size);
}

/* a/ and b/ go where both sides have them, or the missing side is /dev/null. */
static void strip_sides(struct patch_file *file)
{
	bool old_side = file->old_name.size == 0 || text_starts(file->old_name, TEXT("a/"));
	bool new_side = file->new_name.size == 0 || text_starts(file->new_name, TEXT("b/"));
	if (old_side && new_side) {
		strip_side(&file->old_name, TEXT("a/"));
		strip_side(&file->new_name, TEXT("b/"));
	}
}

/* ---- headers ---- */

static int begin_file(struct patch *patch, const struct reader *reader, bool is_git)
{
	if (patch->n_files == PATCH_FILES_MAX)
		return malformed(patch, reader, "more than 256 files");
	patch->files[patch->n_files++] =
	    (struct patch_file){.is_git = is_git, .first_hunk = patch->n_hunks};
	return 0;
}

/* "diff --git a/NAME b/NAME": of use where no "---" follows, and then both names are the same. */
static int git_names(struct patch *patch, const struct reader *reader, struct text names)
{
	int r = begin_file(patch, reader, true);
	if (r != 0)
		return r;
	struct patch_file *file = &patch->files[patch->n_files - 1];
	names = without_return(names);
	size_t half = names.size / 2;
	if (names.size % 2 == 0 || names.data[half] != ' ')
		return 0;
	file->old_name = (struct text){names.data, half};
	file->new_name = text_skip(names, half + 1);
	r = unquote(patch, &file->old_name);
	if (r == 0)
		r = unquote(patch, &file->new_name);
	strip_sides(file);
	return r;
}

static int plain_names(struct patch *patch, struct reader *reader, struct text old_line)
{
	struct patch_file *file = patch->n_files ? &patch->files[patch->n_files - 1] : NULL;
	struct text new_line;
	if (!text_starts(reader->rest, TEXT("+++ ")))
		return 0; /* prose between the files */
	if (!next_line(reader, &new_line))
		return 0;
	if (!file || !file->is_git || file->has_names) {
		int r = begin_file(patch, reader, false);
		if (r != 0)
			return r;
		file = &patch->files[patch->n_files - 1];
	}
	file->has_names = true;
	int r = header_name(patch, text_skip(old_line, 4), &file->old_name);
	if (r == 0)
		r = header_name(patch, text_skip(new_line, 4), &file->new_name);
	strip_sides(file);
	if (r == 0 && file->old_name.size == 0 && file->new_name.size == 0)
		r = malformed(patch, reader, "a file without a name");
	return r;
}

static void set_mode(struct patch_file *file, struct text mode)
{
	file->has_mode = true;
	file->mode = text_ends(without_return(mode), TEXT("755")) ? 0755 : 0644;
}

struct git_header {
	struct text prefix;
	int (*take)(struct patch *patch, struct patch_file *file, struct text value);
};

static int take_new_file(struct patch *patch ATTR_UNUSED, struct patch_file *file,
			 struct text value)
{
	file->old_name = (struct text){0};
	set_mode(file, value);
	return 0;
}

static int take_deleted(struct patch *patch ATTR_UNUSED, struct patch_file *file,
			struct text value ATTR_UNUSED)
{
	file->new_name = (struct text){0};
	return 0;
}

static int take_new_mode(struct patch *patch ATTR_UNUSED, struct patch_file *file,
			 struct text value)
{
	set_mode(file, value);
	return 0;
}

static int take_rename_from(struct patch *patch, struct patch_file *file, struct text value)
{
	file->old_name = without_return(value);
	return unquote(patch, &file->old_name);
}

static int take_rename_to(struct patch *patch, struct patch_file *file, struct text value)
{
	file->new_name = without_return(value);
	return unquote(patch, &file->new_name);
}

static const struct git_header git_headers[] = {
    {{"new file mode ", 14}, take_new_file}, {{"deleted file mode ", 18}, take_deleted},
    {{"new mode ", 9}, take_new_mode},       {{"rename from ", 12}, take_rename_from},
    {{"rename to ", 10}, take_rename_to},
};

static int git_header(struct patch *patch, const struct reader *reader, struct text line)
{
	struct patch_file *file = &patch->files[patch->n_files - 1];
	if (text_starts(line, TEXT("GIT binary patch")) || text_starts(line, TEXT("Binary files ")))
		return malformed(patch, reader, "binary patches are not supported");
	if (text_starts(line, TEXT("copy from ")))
		return malformed(patch, reader, "copies are not supported");
	for (size_t i = 0; i < ARRAY_SIZE(git_headers); i++) {
		if (text_starts(line, git_headers[i].prefix))
			return git_headers[i].take(patch, file,
						   text_skip(line, git_headers[i].prefix.size));
	}
	return 0;
}

/* ---- hunks ---- */

/* "12" or "12,3"; without a count it is 1. */
static int parse_range(struct text range, size_t *start, size_t *count)
{
	struct text first;
	uint64_t value, number = 1;
	text_split(&range, ',', &first);
	if (text_parse_u64(first, INT32_MAX, &value) ||
	    (range.data && text_parse_u64(range, INT32_MAX, &number)))
		return 1;
	*start = (size_t)value;
	*count = (size_t)number;
	return 0;
}

static int parse_hunk_line(struct text line, struct patch_hunk *hunk)
{
	struct text rest = text_skip(line, 4), old_range, new_range, marker;
	size_t new_line;
	text_split(&rest, ' ', &old_range);
	text_split(&rest, ' ', &new_range);
	marker = rest;
	if (!text_starts(marker, TEXT("@@")) || !text_starts(new_range, TEXT("+")))
		return 1;
	return parse_range(old_range, &hunk->old_line, &hunk->old_count) ||
	       parse_range(text_skip(new_range, 1), &new_line, &hunk->new_count);
}

/* Editors strip blanks at the ends of lines: an empty line is an empty line of context. */
static char kind_of(struct text line)
{
	return line.size == 0 ? ' ' : line.data[0];
}

static int take_body(struct patch *patch, struct reader *reader, struct patch_hunk *hunk)
{
	const char *start = reader->rest.data;
	const char *end = start;
	size_t old_count = 0, new_count = 0;
	struct text line;
	while (old_count < hunk->old_count || new_count < hunk->new_count) {
		if (!next_line(reader, &line))
			return malformed(patch, reader, "a hunk ends before its time");
		char kind = kind_of(line);
		if (kind != ' ' && kind != '+' && kind != '-' && kind != '\\')
			return malformed(patch, reader,
					 "a line of a hunk begins with none of blank, + and -");
		old_count += kind == ' ' || kind == '-';
		new_count += kind == ' ' || kind == '+';
		end = line.data + line.size;
	}
	if (old_count != hunk->old_count || new_count != hunk->new_count)
		return malformed(patch, reader, "a hunk has other lines than its head says");
	if (text_starts(reader->rest, TEXT("\\")) && next_line(reader, &line))
		end = line.data + line.size;
	if (old_count + new_count > 0)
		hunk->body = (struct text){start, (size_t)(end - start)};
	return 0;
}

static int take_hunk(struct patch *patch, struct reader *reader, struct text line)
{
	struct patch_hunk hunk = {0};
	if (patch->n_files == 0)
		return malformed(patch, reader, "a hunk before any file");
	if (patch->n_hunks == PATCH_HUNKS_MAX)
		return malformed(patch, reader, "more than 10000 hunks");
	if (parse_hunk_line(line, &hunk))
		return malformed(patch, reader, "the head of a hunk cannot be read");
	int r = take_body(patch, reader, &hunk);
	if (r != 0)
		return r;
	patch->hunks[patch->n_hunks++] = hunk;
	patch->files[patch->n_files - 1].n_hunks++;
	return 0;
}

static int take_line(struct patch *patch, struct reader *reader, struct text line)
{
	if (text_starts(line, TEXT("diff --git ")))
		return git_names(patch, reader, text_skip(line, 11));
	if (text_starts(line, TEXT("--- ")))
		return plain_names(patch, reader, line);
	if (text_starts(line, TEXT("@@ -")))
		return take_hunk(patch, reader, line);
	if (patch->n_files > 0 && patch->files[patch->n_files - 1].is_git)
		return git_header(patch, reader, line);
	return 0;
}

static int check_names(struct patch *patch, const struct reader *reader)
{
	for (size_t i = 0; i < patch->n_files; i++) {
		const struct patch_file *file = &patch->files[i];
		if ((file->old_name.size == 0 && file->new_name.size == 0) ||
		    (file->old_name.size > 0 && !patch_name_is_inside(file->old_name)) ||
		    (file->new_name.size > 0 && !patch_name_is_inside(file->new_name)))
			return malformed(patch, reader, "a name is missing or leaves the folder");
	}
	return patch->n_files ? 0 : malformed(patch, reader, "there is no file in it");
}

int patch_parse(struct text diff, struct patch *patch)
{
	struct reader reader = {diff, 0};
	struct text line;
	int r = 0;
	*patch = (struct patch){0};
	patch->files = arena_alloc(&patch->arena, PATCH_FILES_MAX * sizeof(*patch->files));
	patch->hunks = arena_alloc(&patch->arena, PATCH_HUNKS_MAX * sizeof(*patch->hunks));
	if (!patch->files || !patch->hunks)
		return -ENOMEM;
	while (r == 0 && next_line(&reader, &line))
		r = take_line(patch, &reader, line);
	return r == 0 ? check_names(patch, &reader) : r;
}

void patch_free(struct patch *patch)
{
	arena_free(&patch->arena);
	*patch = (struct patch){0};
}
