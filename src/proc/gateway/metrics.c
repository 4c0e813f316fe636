#include "proc/gateway/metrics.h"

#include <inttypes.h>

struct metric_kind {
	const char *name;
	const char *type;
	const char *help;
};

static const struct metric_kind kinds[METRICS] = {
    [METRIC_CONNECTIONS] = {"croft_gateway_connections", "gauge", "Connections of clients"},
    [METRIC_CONNECTIONS_REFUSED] = {"croft_gateway_connections_refused_total", "counter",
				    "Connections over the limit"},
    [METRIC_BACKLOG] = {"croft_gateway_backlog_bytes", "gauge",
			"Bytes of answers that clients have not taken yet"},
    [METRIC_READERS] = {"croft_gateway_readers", "gauge", "Readers of events"},
    [METRIC_READERS_REOPENED] = {"croft_gateway_readers_reopened_total", "counter",
				 "Readers opened again because a role was replaced"},
    [METRIC_READERS_BACKLOG] = {"croft_gateway_readers_backlog_bytes", "gauge",
				"Events that clients have not taken yet"},
    [METRIC_SOCKETS] = {"croft_gateway_sockets", "gauge", "WebSocket connections"},
    [METRIC_EVENTS_DELIVERED] = {"croft_gateway_events_delivered_total", "counter",
				 "Events given to readers"},
    [METRIC_EVENT_BYTES_DELIVERED] = {"croft_gateway_event_bytes_delivered_total", "counter",
				      "Cost of the events given to readers"},
    [METRIC_BYTES_RECEIVED] = {"croft_gateway_received_bytes_total", "counter",
			       "Bytes from clients"},
    [METRIC_BYTES_SENT] = {"croft_gateway_sent_bytes_total", "counter", "Bytes to clients"},
    [METRIC_UPLOAD_BYTES] = {"croft_gateway_upload_bytes_total", "counter",
			     "Bytes of files and archives received"},
    [METRIC_DOWNLOAD_BYTES] = {"croft_gateway_download_bytes_total", "counter",
			       "Bytes of files and archives sent"},
    [METRIC_AUTHENTICATION_FAILURES] = {"croft_gateway_authentication_failures_total", "counter",
					"Credentials that control refused"},
    [METRIC_ADDRESSES_LIMITED] = {"croft_gateway_addresses_limited_total", "counter",
				  "Requests refused because their address failed too often"},
    [METRIC_CONTROL_LOST] = {"croft_gateway_control_lost_total", "counter",
			     "Requests without an answer because control was replaced"},
    [METRIC_CALLS_WAITING] = {"croft_gateway_calls", "gauge", "Requests that wait for control"},
};

static const uint64_t bucket_us[METRIC_BUCKETS] = {250,    500,     1000,    2500,    5000,
						   10000,  25000,   50000,   100000,  250000,
						   500000, 1000000, 2500000, 10000000};

void metrics_answered(struct metrics *metrics, size_t route, uint16_t status, uint64_t duration_us)
{
	if (route >= METRIC_ROUTES || status < 100 || status >= 100 + 100 * METRIC_CLASSES)
		return;
	metrics->routes[route].answers[status / 100 - 1]++;
	size_t bucket = 0;
	while (bucket < METRIC_BUCKETS && duration_us > bucket_us[bucket])
		bucket++;
	metrics->buckets[bucket]++;
	metrics->latency_count++;
	metrics->latency_sum_s += (double)duration_us / 1e6;
}

static void write_head(struct buffer *out, const char *name, const char *type, const char *help)
{
	buffer_append_format(out, "# HELP %s %s.\n# TYPE %s %s\n", name, help, name, type);
}

static void write_requests(const struct metrics *metrics, struct buffer *out)
{
	write_head(out, "croft_gateway_requests_total", "counter",
		   "Requests answered, by route and class of status");
	for (size_t i = 0; i < METRIC_ROUTES; i++) {
		const char *method = i < API_CALLS ? api_routes[i].method : "";
		const char *path = i < API_CALLS ? api_routes[i].path : "";
		for (size_t class = 0; class < METRIC_CLASSES; class ++) {
			if (metrics->routes[i].answers[class] == 0)
				continue;
			buffer_append_format(
			    out,
			    "croft_gateway_requests_total{method=\"%s\",route=\"%s\","
			    "status=\"%zuxx\"} %" PRIu64 "\n",
			    method, path, class + 1, metrics->routes[i].answers[class]);
		}
	}
}

static void write_latencies(const struct metrics *metrics, struct buffer *out)
{
	const char *name = "croft_gateway_request_seconds";
	uint64_t below = 0;
	write_head(out, name, "histogram",
		   "Time from the head of a request to the head of its answer");
	for (size_t i = 0; i < METRIC_BUCKETS; i++) {
		below += metrics->buckets[i];
		buffer_append_format(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
				     (double)bucket_us[i] / 1e6, below);
	}
	buffer_append_format(
	    out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %f\n%s_count %" PRIu64 "\n", name,
	    metrics->latency_count, name, metrics->latency_sum_s, name, metrics->latency_count);
}

void metrics_write(const struct metrics *metrics, struct buffer *out)
{
	for (size_t i = 0; i < METRICS; i++) {
		write_head(out, kinds[i].name, kinds[i].type, kinds[i].help);
		buffer_append_format(out, "%s %" PRIu64 "\n", kinds[i].name, metrics->value[i]);
	}
	write_requests(metrics, out);
	write_latencies(metrics, out);
}
