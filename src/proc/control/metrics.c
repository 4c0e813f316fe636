#include "proc/control/metrics.h"

#include "base/error.h"
#include "base/json.h"
#include "proc/control/audit_link.h"
#include "proc/control/gateway_link.h"
#include "proc/control/operation.h"
#include "proc/control/stream_link.h"
#include "proc/control/worker_link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

struct metric_kind {
	const char *name;
	enum metric_type type;
	const char *help;
};

static const struct metric_kind metric_kinds[METRICS] = {
    [METRIC_REQUESTS] = {"croft_control_requests_total", METRIC_COUNTER,
			 "Requests that the gateways passed on"},
    [METRIC_ANSWERS_OK] = {"croft_control_answers_ok_total", METRIC_COUNTER, "Answers below 400"},
    [METRIC_ANSWERS_REFUSED] = {"croft_control_answers_refused_total", METRIC_COUNTER,
				"Answers of 400 to 499"},
    [METRIC_ANSWERS_FAILED] = {"croft_control_answers_failed_total", METRIC_COUNTER,
			       "Answers of 500 and above"},
    [METRIC_DENIED] = {"croft_control_denied_total", METRIC_COUNTER, "Calls that no rule allowed"},
    [METRIC_RATE_LIMITED] = {"croft_control_rate_limited_total", METRIC_COUNTER,
			     "Calls refused by a rate limit"},
    [METRIC_AUDIT_UNAVAILABLE] = {"croft_control_audit_unavailable_total", METRIC_COUNTER,
				  "Calls whose audit entry was not durable in time"},
    [METRIC_REQUESTS_UNDER_WAY] = {"croft_control_requests", METRIC_GAUGE, "Requests under way"},
    [METRIC_AUDIT_PENDING] = {"croft_control_audit_pending", METRIC_GAUGE,
			      "Audit entries not yet acknowledged"},
    [METRIC_AUDIT_UP] = {"croft_control_audit_up", METRIC_GAUGE,
			 "1 while the audit role can be reached"},
    [METRIC_OPERATIONS_ADMITTED] = {"croft_operations_admitted_total", METRIC_COUNTER,
				    "Operations that were taken"},
    [METRIC_OPERATIONS_COMPLETED] = {"croft_operations_completed_total", METRIC_COUNTER,
				     "Operations that have completed"},
    [METRIC_OPERATIONS_FAILED] = {"croft_operations_failed_total", METRIC_COUNTER,
				  "Operations that have failed, been cancelled or lost"},
    [METRIC_OPERATIONS_WAITING] = {"croft_operations_waiting", METRIC_GAUGE,
				   "Operations that wait for a place"},
    [METRIC_OPERATIONS_RUNNING] = {"croft_operations_running", METRIC_GAUGE, "Operations that run"},
};

static const char *const type_names[] = {[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge"};

struct metrics {
	struct control *control;
	uint64_t values[METRICS];
	struct loop_timer timer;
};

void metrics_add(struct metrics *metrics, enum metric metric, uint64_t more)
{
	metrics->values[metric] += more;
}

void metrics_set(struct metrics *metrics, enum metric metric, uint64_t value)
{
	metrics->values[metric] = value;
}

void metrics_count_answer(struct metrics *metrics, uint16_t status)
{
	enum metric metric = status < 400   ? METRIC_ANSWERS_OK
			     : status < 500 ? METRIC_ANSWERS_REFUSED
					    : METRIC_ANSWERS_FAILED;
	metrics_add(metrics, metric, 1);
}

static void write_exposition(const struct metrics *metrics, struct buffer *out)
{
	for (int i = 0; i < METRICS; i++) {
		const struct metric_kind *kind = &metric_kinds[i];
		buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n",
				     kind->name, kind->help, kind->name, type_names[kind->type],
				     kind->name, metrics->values[i]);
	}
}

static void write_readiness(const struct control *control, bool ready, struct buffer *out)
{
	struct json json = json_to(out);
	json_object(&json);
	json_key(&json, "ready");
	json_bool(&json, ready);
	json_key(&json, "roles");
	json_object(&json);
	json_key(&json, "control");
	json_bool(&json, true);
	json_key(&json, "audit");
	json_bool(&json, audit_link_is_up(control->audit));
	json_key(&json, "stream");
	json_bool(&json, stream_link_is_up(control->stream));
	json_key(&json, "worker");
	json_bool(&json, worker_link_is_ready(control->worker));
	json_object_end(&json);
	json_object_end(&json);
}

void metrics_push(struct metrics *metrics)
{
	struct control *control = metrics->control;
	struct buffer exposition ATTR_BUFFER = {0}, readiness ATTR_BUFFER = {0};
	metrics_set(metrics, METRIC_REQUESTS_UNDER_WAY, gateway_links_requests(control->gateways));
	metrics_set(metrics, METRIC_AUDIT_PENDING, audit_link_pending(control->audit));
	metrics_set(metrics, METRIC_AUDIT_UP, audit_link_is_up(control->audit));
	struct orchestrator_counts counts = operations_count(control->operations);
	metrics_set(metrics, METRIC_OPERATIONS_WAITING, counts.waiting);
	metrics_set(metrics, METRIC_OPERATIONS_RUNNING, counts.running + counts.unknown);
	bool ready = audit_link_is_up(control->audit) && stream_link_is_up(control->stream) &&
		     worker_link_is_ready(control->worker) && !control->stopping;
	write_exposition(metrics, &exposition);
	struct bytes stream = stream_link_figures(control->stream);
	buffer_append(&exposition, stream.data, stream.size);
	write_readiness(control, ready, &readiness);
	if (buffer_check(&exposition) < 0 || buffer_check(&readiness) < 0)
		return;
	struct gateway_control_metrics message = {
	    .exposition = buffer_bytes(&exposition),
	    .ready = ready,
	    .readiness = buffer_bytes(&readiness),
	};
	gateway_links_metrics(control->gateways, &message);
}

static void on_time(struct loop_timer *timer)
{
	metrics_push(container_of(timer, struct metrics, timer));
}

int metrics_new(struct control *control, struct metrics **out)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	if (!metrics)
		return error_origin(-ENOMEM);
	metrics->control = control;
	int r = loop_timer_start(&metrics->timer, control->loop, METRICS_PUSH_MS, METRICS_PUSH_MS,
				 on_time);
	if (r < 0) {
		free(metrics);
		return error_trace(r);
	}
	*out = metrics;
	return 0;
}

void metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	loop_timer_stop(&metrics->timer);
	free(metrics);
}
