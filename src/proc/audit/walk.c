#include "base/error.h"
#include "proc/audit/entry.h"
#include "proc/audit/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static bool has_seq(const struct entry_view *view, uint64_t seq)
{
	char digits[24];
	snprintf(digits, sizeof(digits), "%" PRIu64, seq);
	return text_equal(view->fields[ENTRY_SEQ], text_of(digits));
}

static int check_entry(struct audit_log *log, struct bytes entry, struct summary *summary)
{
	struct entry_view view;
	uint64_t seq = log->walk.size;
	struct digest_value leaf = ledger_leaf_hash(entry);
	if (entry_read(bytes_text(entry), &view) || !has_seq(&view, seq) ||
	    !digest_equal(&leaf, &log->cache[0].hashes[seq % TILE_WIDTH]))
		return audit_log_break(log, "entry %" PRIu64 " is not the one in the tree", seq);
	summary_add(summary, view.fields[ENTRY_WORKSPACE]);
	ledger_frontier_append(&log->walk, &leaf);
	return 0;
}

static int check_bundle(struct audit_log *log, uint64_t bundle, struct bytes rest)
{
	struct summary summary = {0};
	struct bytes entry;
	for (unsigned i = 0; i < TILE_WIDTH; i++) {
		if (tile_next_entry(&rest, &entry) != 0)
			return audit_log_break(log, "entry %" PRIu64 " is damaged or missing",
					       log->walk.size);
		int r = check_entry(log, entry, &summary);
		if (r)
			return r;
	}
	if (rest.size > 0)
		return audit_log_break(log, "there is more than the entries before %" PRIu64,
				       log->walk.size);
	log->summaries.items[bundle] = summary;
	return 0;
}

/* Each entry agrees with its hash; here the hashes agree with those above them, up to what was
 * compared with the signed root. */
static int conclude(struct audit_log *log)
{
	struct digest_value root, own = ledger_frontier_root(&log->walk);
	int r = ledger_range_hash(&log->source, 0, log->walk.size, &root);
	if (r < 0)
		return audit_log_failed(log, "reading tiles", r);
	if (!digest_equal(&root, &own))
		return audit_log_break(log,
				       "the entries before %" PRIu64 " are not those of the tree",
				       log->walk.size);
	return 1;
}

int audit_log_walk(struct audit_log *log)
{
	struct buffer file ATTR_BUFFER = {.limit = AUDIT_LOG_BUNDLE_LIMIT};
	uint64_t bundle = log->walk.size / TILE_WIDTH;
	if (log->broken)
		return AUDIT_LOG_BROKEN;
	if (bundle == log->walk_end)
		return conclude(log);
	int r = audit_log_load_tile(log, 0, bundle);
	if (r == 0)
		r = audit_log_read_bundle(log, bundle, &file);
	if (r == -ENOMEM)
		return 0; /* again, later */
	if (r < 0)
		return audit_log_break(log, "entry %" PRIu64 ": %s", log->walk.size, strerror(-r));
	return check_bundle(log, bundle, buffer_bytes(&file));
}
