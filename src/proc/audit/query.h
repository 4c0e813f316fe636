/* Pages of entries: by workspace and filters, oldest first. What one query may look at is limited,
 * so that it cannot hold up the entries of others: a page may be short, or empty, and say where to
 * go on. */
#pragma once

#include "proc/audit/audit_log.h"

enum {
	QUERY_LIMIT_DEFAULT = 100,
	QUERY_LIMIT_MAX = 1000,
	QUERY_BUNDLES_MAX = 32, /* read for one page */
	QUERY_PAGE_BYTES = 1 << 20,
};

/* 0; 1 if it cannot be read. `next`: control_audit_page. With a proof, entries that are newer than
 * the signed tree wait for the next page. */
int audit_query(struct audit_log *log, const struct control_audit_query *query,
		struct buffer *lines, uint64_t *next) ATTR_MUST_CHECK;
