#include "port/log/segment_list.h"

#include "base/error.h"
#include "base/log.h"
#include "port/log/segment_log.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIST_FIRST = 16, SERIAL_DIGITS = 10 };

/* ---- the list ---- */

void segment_list_free(struct segment_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		segment_free(list->segments[i]);
	free(list->segments);
	*list = (struct segment_list){0};
}

int segment_list_reserve(struct segment_list *list)
{
	if (list->count < list->capacity)
		return 0;
	size_t capacity = list->capacity ? 2 * list->capacity : LIST_FIRST;
	struct segment **larger = reallocarray(list->segments, capacity, sizeof(*larger));
	if (!larger)
		return error_origin(-ENOMEM);
	list->segments = larger;
	list->capacity = capacity;
	return 0;
}

void segment_list_add(struct segment_list *list, struct segment *segment)
{
	assert(list->count < list->capacity);
	list->segments[list->count++] = segment;
}

static void remove_at(struct segment_list *list, size_t i)
{
	segment_free(list->segments[i]);
	list->count--;
	memmove(&list->segments[i], &list->segments[i + 1],
		(list->count - i) * sizeof(*list->segments));
}

struct segment *segment_list_last(const struct segment_list *list)
{
	return list->count ? list->segments[list->count - 1] : NULL;
}

struct segment *segment_list_find(const struct segment_list *list, uint32_t serial)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list->segments[middle]->serial < serial)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && list->segments[low]->serial == serial ? list->segments[low]
									  : NULL;
}

size_t segment_list_at(const struct segment_list *list, uint64_t position)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct index_summary *summary = &list->segments[middle]->summary;
		if (summary->first + summary->records <= position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t segment_list_first_position(const struct segment_list *list)
{
	return list->count ? list->segments[0]->summary.first : 0;
}

uint64_t segment_list_bytes(const struct segment_list *list)
{
	uint64_t total = 0;
	for (size_t i = 0; i < list->count; i++)
		total += list->segments[i]->allocated;
	return total;
}

/* ---- files ---- */

static void remove_file(const struct segment_place *place, uint32_t serial, const char *suffix)
{
	char name[SEGMENT_NAME];
	segment_name(serial, suffix, name);
	if (unlinkat(place->directory, name, 0) < 0 && errno != ENOENT)
		log_warning("log cannot remove file=%s error=\"%s\"", name, strerror(errno));
}

/* The records first: an index without records is swept away at the next opening, the other way
 * round would be recovered. */
int segment_list_remove_first(struct segment_list *list, const struct segment_place *place)
{
	uint32_t serial = list->segments[0]->serial;
	char name[SEGMENT_NAME];
	segment_name(serial, ".log", name);
	if (unlinkat(place->directory, name, 0) < 0 && errno != ENOENT)
		return error_origin(-errno);
	remove_file(place, serial, ".idx");
	remove_at(list, 0);
	return 0;
}

void segment_list_remove_last(struct segment_list *list, const struct segment_place *place)
{
	uint32_t serial = segment_list_last(list)->serial;
	remove_file(place, serial, ".log");
	remove_file(place, serial, ".idx");
	remove_at(list, list->count - 1);
}

static void close_least_used(struct segment_list *list)
{
	struct segment *least = NULL;
	size_t open = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct segment *segment = list->segments[i];
		if (segment->fd < 0 || segment->index)
			continue;
		open++;
		if (!least || segment->used < least->used)
			least = segment;
	}
	if (open >= SEGMENT_FILES)
		segment_close_files(least);
}

int segment_list_use(struct segment_list *list, struct segment *segment,
		     const struct segment_place *place)
{
	segment->used = ++list->uses;
	if (segment->fd >= 0)
		return 0;
	close_least_used(list);
	return error_trace(segment_open_files(segment, place->directory));
}

/* ---- opening ---- */

struct serials {
	uint32_t *numbers;
	size_t count;
};

static int compare_serials(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	return a < b ? -1 : a > b;
}

static bool parse_name(const char *name, const char *suffix, uint32_t *serial)
{
	struct text text = text_of(name);
	uint64_t number;
	if (text.size <= SERIAL_DIGITS || strcmp(name + SERIAL_DIGITS, suffix) != 0)
		return false;
	if (text_parse_u64((struct text){name, SERIAL_DIGITS}, UINT32_MAX, &number))
		return false;
	*serial = (uint32_t)number;
	return true;
}

static int add_serial(struct serials *serials, uint32_t serial)
{
	uint32_t *larger = reallocarray(serials->numbers, serials->count + 1, sizeof(*larger));
	if (!larger)
		return error_origin(-ENOMEM);
	serials->numbers = larger;
	serials->numbers[serials->count++] = serial;
	return 0;
}

/* Collects the files with the suffix, in the order of their serials. */
static int list_files(const struct segment_place *place, const char *suffix, struct serials *out)
{
	int fd = openat(place->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;
	if (!directory) {
		r = error_origin(-errno);
		if (fd >= 0)
			close(fd);
		return r;
	}
	for (struct dirent *entry; r == 0 && (entry = readdir(directory));) {
		uint32_t serial;
		if (parse_name(entry->d_name, suffix, &serial))
			r = add_serial(out, serial);
	}
	closedir(directory);
	if (r == 0 && out->count)
		qsort(out->numbers, out->count, sizeof(*out->numbers), compare_serials);
	return r;
}

/* Indexes whose segment has expired, and what was being written when a crash came. */
static int sweep(struct segment_list *list, const struct segment_place *place, const char *suffix)
{
	struct serials serials = {0};
	int r = list_files(place, suffix, &serials);
	for (size_t i = 0; r == 0 && i < serials.count; i++)
		if (!segment_list_find(list, serials.numbers[i]) || strcmp(suffix, ".idx") != 0)
			remove_file(place, serials.numbers[i], suffix);
	free(serials.numbers);
	return r;
}

/* For the operator to look at: nothing that may hold events is ever removed as useless. */
static int set_aside(const struct segment_place *place, uint32_t serial)
{
	char name[SEGMENT_NAME], aside[SEGMENT_NAME];
	segment_name(serial, ".log", name);
	segment_name(serial, ".bad", aside);
	log_error("log segment unusable file=%s kept_as=%s", name, aside);
	if (renameat(place->directory, name, place->directory, aside) < 0)
		return error_origin(-errno);
	return 0;
}

/* From the newest to the oldest, since each needs to know where the one behind it begins. */
static int open_all(struct segment_list *list, const struct segment_place *place,
		    const struct serials *serials)
{
	uint64_t limit = UINT64_MAX;
	int r = 0;
	list->segments = calloc(serials->count + 1, sizeof(struct segment *));
	if (!list->segments)
		return error_origin(-ENOMEM);
	list->capacity = serials->count + 1;
	for (size_t i = serials->count; r >= 0 && i > 0; i--) {
		struct segment *segment = NULL;
		r = segment_open(place, serials->numbers[i - 1], limit, &segment);
		if (r == SEGMENT_UNBORN)
			remove_file(place, serials->numbers[i - 1], ".log");
		if (r == SEGMENT_UNUSABLE)
			r = set_aside(place, serials->numbers[i - 1]);
		if (!segment)
			continue;
		limit = segment->summary.first;
		segment_close_files(segment);
		memmove(&list->segments[1], &list->segments[0], list->count * sizeof(segment));
		list->segments[0] = segment;
		list->count++;
	}
	return r < 0 ? error_trace(r) : 0;
}

/* What a crash just after their making left. One stays, since it carries the next position. */
static void remove_empty(struct segment_list *list, const struct segment_place *place)
{
	for (size_t i = list->count; i > 0 && list->count > 1; i--) {
		const struct segment *segment = list->segments[i - 1];
		if (segment->summary.records > 0)
			continue;
		remove_file(place, segment->serial, ".log");
		remove_file(place, segment->serial, ".idx");
		remove_at(list, i - 1);
	}
}

/* A segment that is missing, or was cut short, is a hole at the end of the one before it. */
int segment_list_open(struct segment_list *list, const struct segment_place *place)
{
	struct serials serials = {0};
	int r = list_files(place, ".log", &serials);
	if (r == 0)
		r = open_all(list, place, &serials);
	free(serials.numbers);
	if (r == 0)
		r = sweep(list, place, ".idx");
	if (r == 0)
		r = sweep(list, place, ".idx.new");
	if (r == 0)
		remove_empty(list, place);
	for (size_t i = 0; r == 0 && i + 1 < list->count; i++)
		segment_extend_lost(list->segments[i], list->segments[i + 1]->summary.first);
	return r < 0 ? error_trace(r) : 0;
}
