/* The figures of control and of what it knows of the roles behind it, as one table (metrics.c).
 * They are pushed to the gateways every METRICS_PUSH_MS, which serve them as /metrics and /readyz.
 */
#pragma once

#include "proc/control/control.h"

enum { METRICS_PUSH_MS = 2000 };

enum metric {
	METRIC_REQUESTS,
	METRIC_ANSWERS_OK,
	METRIC_ANSWERS_REFUSED, /* 4xx */
	METRIC_ANSWERS_FAILED,  /* 5xx */
	METRIC_DENIED,
	METRIC_RATE_LIMITED,
	METRIC_AUDIT_UNAVAILABLE,
	METRIC_REQUESTS_UNDER_WAY,
	METRIC_AUDIT_PENDING,
	METRIC_AUDIT_UP,
	METRIC_OPERATIONS_ADMITTED,
	METRIC_OPERATIONS_COMPLETED,
	METRIC_OPERATIONS_FAILED,
	METRIC_OPERATIONS_WAITING,
	METRIC_OPERATIONS_RUNNING,
	METRICS
};

int metrics_new(struct control *control, struct metrics **metrics) ATTR_MUST_CHECK;
void metrics_free(struct metrics *metrics);

void metrics_add(struct metrics *metrics, enum metric metric, uint64_t more);
void metrics_set(struct metrics *metrics, enum metric metric, uint64_t value);
void metrics_count_answer(struct metrics *metrics, uint16_t status);

/* Now, because readiness has changed or a gateway has come. */
void metrics_push(struct metrics *metrics);
