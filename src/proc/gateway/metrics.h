/* The gateway's own figures, as one table: a figure is added by a row there and a name here.
 * Control's figures and those of the roles behind it come as text and are appended
 * (control_link.h). Prometheus text format 0.0.4. */
#pragma once

#include "base/buffer.h"
#include "proto/api.h"

enum metric {
	METRIC_CONNECTIONS,
	METRIC_CONNECTIONS_REFUSED,
	METRIC_BACKLOG,
	METRIC_READERS,
	METRIC_READERS_REOPENED,
	METRIC_READERS_BACKLOG,
	METRIC_SOCKETS,
	METRIC_EVENTS_DELIVERED,
	METRIC_EVENT_BYTES_DELIVERED,
	METRIC_BYTES_RECEIVED,
	METRIC_BYTES_SENT,
	METRIC_UPLOAD_BYTES,
	METRIC_DOWNLOAD_BYTES,
	METRIC_AUTHENTICATION_FAILURES,
	METRIC_ADDRESSES_LIMITED,
	METRIC_CONTROL_LOST,
	METRIC_CALLS_WAITING,
	METRICS
};

enum {
	METRIC_CLASSES = 5,            /* 1xx to 5xx */
	METRIC_BUCKETS = 14,           /* of the histogram of latencies, without +Inf */
	METRIC_ROUTES = API_CALLS + 1, /* the last: no route */
};

struct metrics_route {
	uint64_t answers[METRIC_CLASSES];
};

struct metrics {
	uint64_t value[METRICS];
	struct metrics_route routes[METRIC_ROUTES];
	uint64_t buckets[METRIC_BUCKETS + 1];
	uint64_t latency_count;
	double latency_sum_s;
};

/* `route` is an enum api_call, or API_CALLS where there was no route. */
void metrics_answered(struct metrics *metrics, size_t route, uint16_t status, uint64_t duration_us);

void metrics_write(const struct metrics *metrics, struct buffer *out);
