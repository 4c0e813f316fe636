#include "proc/audit/query.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "engine/ledger/export.h"
#include "proc/audit/entry.h"

#include <assert.h>
#include <stdlib.h>

/* A filter as it stands in an entry, so that entries need no unescaping. */
struct filter {
	enum entry_field field;
	enum entry_field
	    other; /* matches in either of two; the same as `field` where there is one */
	struct buffer value;
	bool is_prefix;
};

enum { FILTER_WORKSPACE, FILTER_ACTOR, FILTER_ACTION, FILTER_PROJECT, FILTER_OPERATION, FILTERS };

struct search {
	const struct control_audit_query *query;
	struct filter filters[FILTERS];
	unsigned limit;
	uint64_t end; /* entries below */
	struct buffer *lines;
	unsigned count;
	struct export_entry *found; /* with a proof */
	uint64_t at;
};

static void set_filter(struct filter *filter, enum entry_field field, enum entry_field other,
		       struct text value)
{
	filter->field = field;
	filter->other = other;
	if (value.size == 0)
		return;
	filter->is_prefix = field == ENTRY_ACTION && value.data[value.size - 1] == '*';
	if (filter->is_prefix)
		value.size--;
	if (value.size == 0)
		return;
	entry_write_text(value, &filter->value);
	if (filter->is_prefix && filter->value.size > 0)
		filter->value.size--; /* the closing quote */
}

static bool filter_matches(const struct filter *filter, const struct entry_view *view)
{
	struct text value = buffer_text(&filter->value);
	if (value.size == 0)
		return true;
	if (filter->is_prefix)
		return text_starts(view->fields[filter->field], value);
	return text_equal(view->fields[filter->field], value) ||
	       text_equal(view->fields[filter->other], value);
}

static bool time_matches(const struct control_audit_query *query, const struct entry_view *view)
{
	struct text quoted = view->fields[ENTRY_TIME];
	int64_t wall_ms;
	if (query->since_ms == 0 && query->until_ms == 0)
		return true;
	if (quoted.size < 2 || clock_parse(quoted.data + 1, quoted.size - 2, &wall_ms))
		return false;
	return (query->since_ms == 0 || wall_ms >= query->since_ms) &&
	       (query->until_ms == 0 || wall_ms <= query->until_ms);
}

static bool decision_matches(const struct control_audit_query *query, const struct entry_view *view)
{
	if (query->decision.size == 0)
		return true;
	bool allow = text_equal(view->fields[ENTRY_ALLOW], TEXT("true"));
	return text_equal(query->decision, allow ? TEXT("allow") : TEXT("deny"));
}

static bool matches(const struct search *search, struct text entry)
{
	struct entry_view view;
	if (entry_read(entry, &view))
		return false;
	for (size_t i = 0; i < FILTERS; i++)
		if (!filter_matches(&search->filters[i], &view))
			return false;
	return time_matches(search->query, &view) && decision_matches(search->query, &view);
}

static bool is_full(const struct search *search)
{
	return search->count == search->limit || search->lines->size >= QUERY_PAGE_BYTES;
}

static void take(struct search *search, struct bytes entry)
{
	if (search->found)
		search->found[search->count] =
		    (struct export_entry){search->at, ledger_leaf_hash(entry)};
	buffer_append_text(search->lines, bytes_text(entry));
	buffer_append_byte(search->lines, '\n');
	search->count++;
}

/* Entries of one bundle from search->at on. */
static int search_bundle(struct audit_log *log, struct search *search, uint64_t bundle)
{
	struct buffer file ATTR_BUFFER = {.limit = AUDIT_LOG_BUNDLE_LIMIT};
	struct bytes entry;
	int r = audit_log_read_bundle(log, bundle, &file);
	if (r < 0)
		return error_trace(r);
	struct bytes rest = buffer_bytes(&file);
	for (uint64_t seq = bundle * TILE_WIDTH; seq < search->end && !is_full(search); seq++) {
		if (tile_next_entry(&rest, &entry) != 0)
			break;
		if (seq < search->at)
			continue;
		if (matches(search, bytes_text(entry)))
			take(search, entry);
		search->at = seq + 1;
	}
	return 0;
}

static int search_log(struct audit_log *log, struct search *search)
{
	struct text workspace = buffer_text(&search->filters[FILTER_WORKSPACE].value);
	unsigned read = 0;
	while (search->at < search->end && !is_full(search) && read < QUERY_BUNDLES_MAX) {
		uint64_t bundle = search->at / TILE_WIDTH, after = (bundle + 1) * TILE_WIDTH;
		bool may_have =
		    workspace.size == 0 || summaries_may_have(&log->summaries, bundle, workspace);
		if (may_have) {
			int r = search_bundle(log, search, bundle);
			if (r < 0)
				return error_trace(r);
			read++;
		}
		if (!is_full(search) && search->at < after)
			search->at = after < search->end ? after : search->end;
	}
	return 0;
}

/* Fresh entries are signed first: a reader who exports at once after a call wants that call in it.
 */
static uint64_t provable_size(struct audit_log *log)
{
	if (audit_log_checkpoint(log))
		log_warning("an export of the audit log ends at its last checkpoint");
	return log->signed_root.size;
}

static int append_proof(struct audit_log *log, struct search *search)
{
	int r = export_prove(&log->source, buffer_text(&log->note), log->signed_root.size,
			     search->found, search->count, search->lines);
	buffer_append_byte(search->lines, '\n');
	return r < 0 ? error_trace(r) : error_trace(buffer_check(search->lines));
}

static int run(struct audit_log *log, struct search *search)
{
	const struct control_audit_query *query = search->query;
	search->end = query->with_proof ? provable_size(log) : log->edge.size;
	if (query->with_proof) {
		search->found = calloc(search->limit, sizeof(*search->found));
		if (!search->found)
			return 1;
	}
	int r = search_log(log, search);
	if (r == 0 && query->with_proof)
		r = append_proof(log, search);
	return r < 0 || buffer_check(search->lines) < 0 ? 1 : 0;
}

int audit_query(struct audit_log *log, const struct control_audit_query *query,
		struct buffer *lines, uint64_t *next)
{
	static_assert((int)QUERY_LIMIT_MAX <= (int)EXPORT_ENTRIES_MAX, "one proof covers a page");
	struct search search = {.query = query, .lines = lines, .at = query->after};
	search.limit = query->limit == 0                ? QUERY_LIMIT_DEFAULT
		       : query->limit > QUERY_LIMIT_MAX ? QUERY_LIMIT_MAX
							: query->limit;
	set_filter(&search.filters[FILTER_WORKSPACE], ENTRY_WORKSPACE, ENTRY_WORKSPACE,
		   query->workspace);
	set_filter(&search.filters[FILTER_ACTOR], ENTRY_ACTOR_ID, ENTRY_ACTOR_KEY, query->actor);
	set_filter(&search.filters[FILTER_ACTION], ENTRY_ACTION, ENTRY_ACTION, query->action);
	set_filter(&search.filters[FILTER_PROJECT], ENTRY_PROJECT, ENTRY_PROJECT, query->project);
	set_filter(&search.filters[FILTER_OPERATION], ENTRY_OPERATION, ENTRY_OPERATION,
		   query->operation);
	int r = run(log, &search);
	if (r == 0)
		*next = search.at < search.end ? search.at : 0;
	for (size_t i = 0; i < FILTERS; i++)
		buffer_free(&search.filters[i].value);
	free(search.found);
	return r;
}
