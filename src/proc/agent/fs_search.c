/* fs.search: texts or POSIX extended regular expressions in files, as lines of results.
 *
 * Binary files (a NUL in their first bytes) and files larger than SEARCH_FILE_LIMIT are passed over
 * and counted. Links are not followed. A regular expression may be a slow one: the child that
 * searches has a limit of CPU time. */
#include "base/descriptor.h"
#include "file_info.h"
#include "glob.h"
#include "operations.h"
#include "result_lines.h"
#include "walk.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	SEARCH_FILE_LIMIT = 16 << 20,
	SEARCH_BINARY_LOOK = 8192,
	SEARCH_LINE_SHOWN = 1000, /* bytes of a line in a result */
	SEARCH_DEFAULT_LIMIT = 1000,
	SEARCH_CPU_SECONDS = 60,
	SEARCH_LINE_REGEX = 64 << 10, /* a longer line is looked at up to here */
};

struct search {
	struct task *task;
	struct result_lines results;
	regex_t regex;
	char *pattern; /* of a literal, in lower case if case does not matter */
	size_t limit, matches, files, skipped;
	bool more;
};

static void lower(char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		text[i] = (char)tolower((unsigned char)text[i]);
}

static bool matches_any(const struct wire_list *globs, struct text name)
{
	const struct text *patterns = globs->items;
	const char *slash = memrchr(name.data, '/', name.size);
	struct text last = slash ? text_skip(name, (size_t)(slash - name.data) + 1) : name;
	for (size_t i = 0; i < globs->count; i++) {
		if (glob_match(patterns[i], name) || glob_match(patterns[i], last))
			return true;
	}
	return false;
}

static bool is_wanted(const struct search *search, struct text name)
{
	const struct operation_input *input = &search->task->input;
	return (input->include.count == 0 || matches_any(&input->include, name)) &&
	       !matches_any(&input->exclude, name);
}

/* Where in `line` (NUL-terminated for this) the pattern begins, from 0; -1: nowhere. */
static ptrdiff_t find_in_line(struct search *search, char *line, size_t size)
{
	struct text wanted = search->task->input.pattern;
	if (search->task->input.regex) {
		regmatch_t match;
		return regexec(&search->regex, line, 1, &match, 0) == 0 ? match.rm_so : -1;
	}
	const char *found = memmem(line, size, search->pattern, wanted.size);
	return found ? found - line : -1;
}

static struct text shown_part(struct text line)
{
	if (line.size > SEARCH_LINE_SHOWN) {
		line.size = SEARCH_LINE_SHOWN;
		line.size -= text_utf8_tail(line);
	}
	return text_ends(line, TEXT("\r")) ? (struct text){line.data, line.size - 1} : line;
}

/* The file that is looked through, as lines. */
struct content {
	struct text name, text;
	char *folded; /* what is searched: the text, or its copy in lower case */
};

static struct text line_at(struct text text, const char *start)
{
	struct text rest = text_skip(text, (size_t)(start - text.data)), line;
	text_split(&rest, '\n', &line);
	return line;
}

static void write_before(struct json *json, struct text text, const char *line, uint32_t count)
{
	const char *start = line;
	for (uint32_t i = 0; i < count && start > text.data; i++) {
		const char *feed = memrchr(text.data, '\n', (size_t)(start - 1 - text.data));
		start = feed ? feed + 1 : text.data;
	}
	json_key(json, "before");
	json_array(json);
	while (start < line) {
		struct text shown = line_at(text, start);
		start += shown.size + 1;
		shown = shown_part(shown);
		json_text(json, text_is_utf8(shown) ? shown : TEXT("?"));
	}
	json_array_end(json);
}

static void write_after(struct json *json, struct text text, const char *start, uint32_t count)
{
	const char *end = text.data + text.size;
	json_key(json, "after");
	json_array(json);
	for (uint32_t i = 0; i < count && start < end; i++) {
		struct text shown = line_at(text, start);
		start += shown.size + 1;
		shown = shown_part(shown);
		json_text(json, text_is_utf8(shown) ? shown : TEXT("?"));
	}
	json_array_end(json);
}

static int tell_match(struct search *search, const struct content *content, struct text line,
		      size_t number, size_t column)
{
	uint32_t context = search->task->input.context;
	struct json json = result_lines_begin(&search->results);
	result_lines_text(&json, "path", content->name);
	json_key(&json, "line");
	json_u64(&json, number);
	json_key(&json, "column");
	json_u64(&json, column + 1);
	result_lines_text(&json, "text", shown_part(line));
	if (context > 0) {
		write_before(&json, content->text, line.data, context);
		write_after(&json, content->text, line.data + line.size + 1, context);
	}
	return result_lines_end(&search->results, &json);
}

static int look_through(struct search *search, const struct content *content)
{
	struct text rest = content->text, line;
	size_t number = 0, before = search->matches;
	int r = 0;
	while (r == 0 && rest.size > 0) {
		text_split(&rest, '\n', &line);
		number++;
		char *folded = content->folded + (line.data - content->text.data);
		size_t size = line.size < SEARCH_LINE_REGEX ? line.size : SEARCH_LINE_REGEX;
		char kept = folded[size];
		folded[size] = '\0';
		ptrdiff_t column =
		    find_in_line(search, folded, search->task->input.regex ? size : line.size);
		folded[size] = kept;
		if (column < 0)
			continue;
		search->more = search->matches == search->limit;
		if (search->more)
			break;
		search->matches++;
		r = tell_match(search, content, line, number, (size_t)column);
	}
	search->files += search->matches > before;
	return r;
}

/* The quick answer for most files: the bytes are not in it at all. */
static bool may_match(const struct search *search, const char *folded, size_t size)
{
	return search->task->input.regex ||
	       memmem(folded, size, search->pattern, search->task->input.pattern.size);
}

static int search_content(struct search *search, struct text name, struct buffer *read)
{
	struct buffer copy ATTR_BUFFER = {.limit = SEARCH_FILE_LIMIT + 1};
	size_t look = read->size < SEARCH_BINARY_LOOK ? read->size : SEARCH_BINARY_LOOK;
	if (read->size == 0)
		return 0;
	if (memchr(read->data, 0, look)) {
		search->skipped++;
		return 0;
	}
	buffer_append(&copy, read->data, read->size);
	buffer_append_byte(&copy, '\0');
	if (buffer_check(&copy) < 0)
		return -ENOMEM;
	struct content content = {name, buffer_text(read), (char *)copy.data};
	if (search->task->input.ignore_case && !search->task->input.regex)
		lower(content.folded, read->size);
	return may_match(search, content.folded, read->size) ? look_through(search, &content) : 0;
}

/* Files that cannot be read, or went away meanwhile, are counted and passed over. */
static int search_file(struct search *search, int folder, const char *path, struct text name)
{
	struct buffer content ATTR_BUFFER = {.limit = SEARCH_FILE_LIMIT};
	struct stat status;
	int fd ATTR_DESCRIPTOR =
	    openat(folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0) {
		search->skipped += errno != ELOOP;
		return 0;
	}
	if (!S_ISREG(status.st_mode))
		return 0;
	if (status.st_size > SEARCH_FILE_LIMIT || descriptor_read_to_end(fd, &content) < 0) {
		search->skipped++;
		return 0;
	}
	return search_content(search, name, &content);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int search_folder(struct search *search, int folder)
{
	struct walk_names names = {0};
	int r = walk_gather(folder, true, &names);
	if (r == 0 && names.count > 0)
		qsort(names.names, names.count, sizeof(*names.names), compare_names);
	for (size_t i = 0; r == 0 && !search->more && i < names.count; i++) {
		if (is_wanted(search, text_of(names.names[i])))
			r = search_file(search, folder, names.names[i], text_of(names.names[i]));
	}
	walk_names_free(&names);
	return r;
}

static enum outcome compile(struct search *search)
{
	struct task *task = search->task;
	search->pattern = text_dup(task->input.pattern);
	if (!search->pattern)
		return failure_say(task, OUTCOME_QUOTA_EXCEEDED, "no memory for the pattern");
	if (!task->input.regex) {
		if (task->input.ignore_case)
			lower(search->pattern, task->input.pattern.size);
		return OUTCOME_COMPLETED;
	}
	int flags = REG_EXTENDED | (task->input.ignore_case ? REG_ICASE : 0);
	int r = regcomp(&search->regex, search->pattern, flags);
	char why[128];
	if (r == 0)
		return OUTCOME_COMPLETED;
	regerror(r, &search->regex, why, sizeof(why));
	task->input.regex = false;
	return failure_say(task, OUTCOME_INVALID_INPUT, "the pattern: %s", why);
}

static enum outcome look_below(struct search *search)
{
	struct task *task = search->task;
	struct text shown = task->input.path;
	const char *path = file_path(task, shown);
	if (!path)
		return OUTCOME_INVALID_INPUT;
	int folder ATTR_DESCRIPTOR = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;
	if (folder >= 0)
		r = search_folder(search, folder);
	else if (errno == ENOTDIR && access(path, R_OK) == 0)
		r = search_file(search, AT_FDCWD, path, shown);
	else
		return failure_of(task, errno, "search", shown);
	if (r == 0)
		r = result_lines_flush(&search->results);
	return r < 0 ? failure_of(task, -r, "search", shown) : OUTCOME_COMPLETED;
}

static void write_result(struct search *search)
{
	struct json json = json_to(&search->task->result);
	json_object(&json);
	json_key(&json, "matches");
	json_u64(&json, search->matches);
	json_key(&json, "files");
	json_u64(&json, search->files);
	json_key(&json, "skipped");
	json_u64(&json, search->skipped);
	json_key(&json, "truncated");
	json_bool(&json, search->more);
	json_object_end(&json);
}

static enum outcome run_search(struct task *task)
{
	struct rlimit cpu = {SEARCH_CPU_SECONDS, SEARCH_CPU_SECONDS};
	struct search search = {.task = task, .results = {.task = task}};
	search.limit = task->input.limit ? task->input.limit : SEARCH_DEFAULT_LIMIT;
	if (task->input.path.size == 0)
		task->input.path = TEXT(".");
	if (task->input.pattern.size == 0)
		return failure_say(task, OUTCOME_INVALID_INPUT, "the pattern is empty");
	setrlimit(RLIMIT_CPU, &cpu);
	enum outcome outcome = compile(&search);
	if (outcome == OUTCOME_COMPLETED)
		outcome = look_below(&search);
	if (outcome == OUTCOME_COMPLETED)
		write_result(&search);
	if (task->input.regex)
		regfree(&search.regex);
	text_free(&search.pattern);
	buffer_free(&search.results.pending);
	return outcome;
}

static bool search_is_long(struct task *task ATTR_UNUSED)
{
	return true;
}

const struct agent_operation fs_search_operation = {.run = run_search, .is_long = search_is_long};
