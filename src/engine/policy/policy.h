/* A project's policy: which operations may run in it at all, whoever asks. A pure decision; control
 * asks it after the roles' table (engine/workspace/access.h) has allowed the call, and an operation
 * that the policy does not allow never starts.
 *
 *     {"operations": {"allow": ["fs.*", "command.run"], "deny": ["fs.remove"]}}
 *
 * A pattern is the name of an operation, or a family with a star. `deny` wins; without `allow` all
 * is allowed that is not denied. */
#pragma once

#include "proto/operation.h"
#include "json/document.h"

enum { POLICY_PATTERNS_MAX = 64 };

struct policy {
	uint64_t allowed; /* bits 1 << enum operation_kind */
};

/* 0; 1 refused, also for patterns that match no operation; never anything else. */
int policy_read(const struct document_value *value, struct policy *policy,
		struct document_error *error) ATTR_MUST_CHECK;

/* From the text that was stored. Text that is no policy allows nothing. */
struct policy policy_parse(struct text json);

bool policy_allows(const struct policy *policy, enum operation_kind kind);
