#include "port/log/index.h"

#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void index_free(struct index *index)
{
	free(index->entries);
	free(index->scratch);
	*index = (struct index){0};
}

static int compare(const void *left, const void *right)
{
	const struct index_entry *a = left, *b = right;
	if (a->subject != b->subject)
		return a->subject < b->subject ? -1 : 1;
	return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}

static int resize(struct index_entry **entries, size_t count)
{
	struct index_entry *larger = reallocarray(*entries, count, sizeof(**entries));
	if (!larger)
		return error_origin(-ENOMEM);
	*entries = larger;
	return 0;
}

int index_reserve(struct index *index, size_t more)
{
	if (more <= index->capacity - index->count)
		return 0;
	size_t capacity = index->capacity ? index->capacity : INDEX_RUN;
	while (capacity < index->count + more)
		capacity *= 2;
	int r = resize(&index->entries, capacity);
	if (r == 0)
		r = resize(&index->scratch, capacity);
	if (r == 0)
		index->capacity = capacity;
	return r;
}

/* Merges the last two runs into one. */
static void merge_last(struct index *index)
{
	size_t right = index->runs[index->n_runs - 1], left = index->runs[index->n_runs - 2];
	struct index_entry *a = index->entries + index->sorted - right - left, *b = a + left;
	struct index_entry *a_end = b, *b_end = b + right, *start = a, *out = index->scratch;
	while (a < a_end && b < b_end)
		*out++ = compare(a, b) <= 0 ? *a++ : *b++;
	while (a < a_end)
		*out++ = *a++;
	while (b < b_end)
		*out++ = *b++;
	memcpy(start, index->scratch, (left + right) * sizeof(*start));
	index->n_runs--;
	index->runs[index->n_runs - 1] = left + right;
}

static void sort_tail(struct index *index)
{
	size_t tail = index->count - index->sorted;
	assert(index->n_runs < INDEX_RUNS_MAX);
	qsort(index->entries + index->sorted, tail, sizeof(*index->entries), compare);
	index->runs[index->n_runs++] = tail;
	index->sorted = index->count;
	while (index->n_runs > 1 &&
	       index->runs[index->n_runs - 2] <= index->runs[index->n_runs - 1])
		merge_last(index);
}

void index_add(struct index *index, const struct record *record, uint32_t ordinal, uint32_t offset)
{
	assert(index->capacity - index->count >= record->n_subjects);
	for (size_t i = 0; i < record->n_subjects; i++)
		index->entries[index->count++] = (struct index_entry){
		    .subject = record->subjects[i],
		    .ordinal = ordinal,
		    .where = (uint32_t)record->tag << 28 | offset / RECORD_ALIGN,
		};
	if (index->count - index->sorted >= INDEX_RUN)
		sort_tail(index);
}

/* The first entry of a sorted run that is not before (subject, ordinal). */
static size_t lower_bound(const struct index_entry *run, size_t count,
			  const struct index_entry *wanted)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&run[middle], wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t find_in_tail(const struct index *index, const struct index_query *query,
			   struct index_entry *found, size_t n)
{
	for (size_t i = index->sorted; i < index->count && n < query->max; i++)
		if (index->entries[i].subject == query->subject &&
		    index->entries[i].ordinal >= query->from)
			found[n++] = index->entries[i];
	return n;
}

size_t index_find(const struct index *index, const struct index_query *query,
		  struct index_entry *found)
{
	struct index_entry wanted = {.subject = query->subject, .ordinal = query->from};
	const struct index_entry *run = index->entries;
	size_t n = 0;
	for (size_t r = 0; r < index->n_runs; run += index->runs[r++]) {
		size_t at = lower_bound(run, index->runs[r], &wanted);
		for (; at < index->runs[r] && run[at].subject == query->subject; at++) {
			if (n == query->max)
				return n;
			found[n++] = run[at];
		}
	}
	return find_in_tail(index, query, found, n);
}

bool index_find_last(const struct index *index, uint64_t subject, uint32_t from,
		     struct index_entry *found)
{
	for (size_t i = index->count; i > index->sorted; i--) {
		const struct index_entry *entry = &index->entries[i - 1];
		if (entry->subject == subject) {
			*found = *entry;
			return entry->ordinal >= from;
		}
	}
	struct index_entry behind = {.subject = subject, .ordinal = UINT32_MAX};
	size_t start = index->sorted;
	for (size_t r = index->n_runs; r > 0; r--) {
		start -= index->runs[r - 1];
		const struct index_entry *run = index->entries + start;
		size_t at = lower_bound(run, index->runs[r - 1], &behind);
		if (at > 0 && run[at - 1].subject == subject) {
			*found = run[at - 1];
			return run[at - 1].ordinal >= from;
		}
	}
	return false;
}

void index_finish(struct index *index)
{
	if (index->count > index->sorted)
		sort_tail(index);
	while (index->n_runs > 1)
		merge_last(index);
}
