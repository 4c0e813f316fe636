#include "proto/settings.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	GATEWAY = ROLE_BIT(ROLE_GATEWAY),
	CONTROL = ROLE_BIT(ROLE_CONTROL),
	STREAM = ROLE_BIT(ROLE_STREAM),
	AUDIT = ROLE_BIT(ROLE_AUDIT),
	WORKER = ROLE_BIT(ROLE_WORKER),
	ISSUER = ROLE_BIT(ROLE_ISSUER),
	SUPERVISOR = ROLE_BIT(ROLE_SUPERVISOR),
};

/* Ends of ranges. */
#define KIB  UINT64_C(1024)
#define MIB  (1024 * KIB)
#define GIB  (1024 * MIB)
#define TIB  (1024 * GIB)
#define HOUR (UINT64_C(3600) * 1000)
#define DAY  (24 * HOUR)
#define YEAR (365 * DAY)

const struct setting settings[] = {
    {"listen", SETTING_TEXT, "127.0.0.1:7480", SUPERVISOR, "address and port of the API"},
    {"log.level", SETTING_LEVEL, "info", SUPERVISOR,
     "what is written to the log, and what is worse"},
    {"stop.grace", SETTING_DURATION, "10s", SUPERVISOR | CONTROL | WORKER,
     "time that running operations get at shutdown", 0, HOUR},
    {"restart.stable", SETTING_DURATION, "10s", SUPERVISOR,
     "a role that lived this long is restarted at once; another with growing delay", 0, HOUR},
    {"gateway.processes", SETTING_COUNT, "1", SUPERVISOR,
     "gateway processes that share the listening socket", 1, 16},

    {"tls.certificate", SETTING_FILE, "", GATEWAY,
     "PEM chain; with it and tls.key the API is served over TLS"},
    {"tls.key", SETTING_FILE, "", GATEWAY, "PEM private key"},
    {"cors.origins", SETTING_TEXT, "", GATEWAY,
     "origins, separated by blanks, that browsers may call from"},
    {"gateway.connections", SETTING_COUNT, "12000", GATEWAY,
     "connections at once; more are answered 503 and closed", 1, 60000},
    {"gateway.header_timeout", SETTING_DURATION, "10s", GATEWAY,
     "time for the head of a request to arrive", 1, HOUR},
    {"gateway.body_timeout", SETTING_DURATION, "30s", GATEWAY,
     "longest silence within a request's body", 1, HOUR},
    {"gateway.idle_timeout", SETTING_DURATION, "75s", GATEWAY,
     "time that an idle connection is kept; a silent WebSocket is asked after half of it", 1, DAY},
    {"gateway.stalled_timeout", SETTING_DURATION, "120s", GATEWAY,
     "a reader that takes nothing for this long is closed", 1, DAY},
    {"gateway.header_bytes", SETTING_SIZE, "32k", GATEWAY, "largest head of a request", KIB, MIB},
    {"gateway.upload_bytes", SETTING_SIZE, "16G", GATEWAY, "largest body of a file or archive", 0,
     TIB},
    {"rate.address", SETTING_COUNT, "50", GATEWAY,
     "failed authentications per minute and address; 0: no limit", 0, 1000000},

    {"rate.key", SETTING_COUNT, "6000", CONTROL, "requests per minute and key; 0: no limit", 0,
     1000000000},
    {"rate.workspace", SETTING_COUNT, "30000", CONTROL,
     "requests per minute and workspace; 0: no limit", 0, 1000000000},
    {"admin.key_hash", SETTING_MADE, "", CONTROL, "made by croftd itself from admin.key"},
    {"oidc.issuer", SETTING_TEXT, "", CONTROL | ISSUER, "issuer of the JWTs that are accepted"},
    {"oidc.audience", SETTING_TEXT, "croft", CONTROL, "audience that a JWT must name"},
    {"oidc.keys_file", SETTING_FILE, "", CONTROL, "JWKS file of the issuer"},
    {"oidc.keys_url", SETTING_TEXT, "", SUPERVISOR | ISSUER, "JWKS URL of the issuer"},
    {"oidc.ca", SETTING_FILE, "", ISSUER,
     "PEM of a private certification authority for oidc.keys_url"},
    {"operations.timeout", SETTING_DURATION, "10m", CONTROL, "time of an operation that names none",
     1, YEAR},
    {"operations.timeout_limit", SETTING_DURATION, "24h", CONTROL,
     "longest time that an operation may ask for", 1, YEAR},
    {"operations.per_project", SETTING_COUNT, "16", CONTROL,
     "operations of a project that run at once", 1, 100000},
    {"operations.per_workspace", SETTING_COUNT, "64", CONTROL,
     "operations of a workspace that run at once", 1, 100000},
    {"operations.running", SETTING_COUNT, "256", CONTROL, "operations that run at once", 1, 100000},
    {"operations.queue", SETTING_COUNT, "10000", CONTROL,
     "operations of a workspace that may wait; more are answered 429", 1, 10000000},
    {"operations.keep", SETTING_DURATION, "30d", CONTROL,
     "time that finished operations and idempotency keys are kept", 1, 100 * YEAR},
    {"output.limit", SETTING_SIZE, "16G", CONTROL, "output of one operation at most", 0,
     1024 * TIB},
    {"instance.memory", SETTING_SIZE, "2G", CONTROL | WORKER, "memory of an instance", 4 * MIB,
     16 * TIB},
    {"instance.cpu_percent", SETTING_COUNT, "200", CONTROL | WORKER,
     "processor time of an instance; 100 is one core", 1, 100000},
    {"instance.pids", SETTING_COUNT, "512", CONTROL | WORKER, "processes of an instance", 2,
     4194304},
    {"instance.idle", SETTING_DURATION, "10m", WORKER,
     "an instance without operations is stopped after this time", 1, YEAR},
    {"instance.limit", SETTING_COUNT, "64", CONTROL | WORKER, "instances at once", 1, 1024},
    {"instance.open_files", SETTING_COUNT, "4096", WORKER,
     "descriptors of a process in an instance", 64, 1048576},
    {"instance.uid_base", SETTING_COUNT, "1073741824", WORKER,
     "first of the user ids that instances are given ranges of", 65536, 4227858432},

    {"stream.segment_bytes", SETTING_SIZE, "64M", STREAM, "size of a segment of the event log", KIB,
     GIB},
    {"stream.retention_bytes", SETTING_SIZE, "32G", STREAM,
     "events kept; the oldest segments go first; 0: no limit", 0, 1024 * TIB},
    {"stream.retention", SETTING_DURATION, "30d", STREAM,
     "age of the oldest events kept; 0: no limit", 0, 100 * YEAR},
    {"stream.readers", SETTING_COUNT, "20000", STREAM, "readers at once", 1, 1000000},

    {"audit.origin", SETTING_TEXT, "croft", AUDIT, "name of the log in its signed checkpoints"},
};
const size_t n_settings = ARRAY_SIZE(settings);

const char *const setting_forms[SETTING_TYPES] = {
    [SETTING_TEXT] = "text",
    [SETTING_COUNT] = "a number",
    [SETTING_SIZE] = "bytes, or with k, M, G or T in powers of 1024",
    [SETTING_DURATION] = "a time with ms, s, m, h or d",
    [SETTING_LEVEL] = "debug, info, warning or error",
    [SETTING_FILE] = "the path of a file",
    [SETTING_MADE] = "",
};

const struct setting *setting_find(struct text name)
{
	for (size_t i = 0; i < n_settings; i++)
		if (text_equal(name, text_of(settings[i].name)))
			return &settings[i];
	return NULL;
}

struct unit {
	struct text suffix;
	uint64_t factor;
};

static const struct unit sizes[] = {
    {TEXT("T"), TIB}, {TEXT("G"), GIB}, {TEXT("M"), MIB}, {TEXT("k"), KIB}};
static const struct unit durations[] = {
    {TEXT("ms"), 1},      {TEXT("s"), 1000},     {TEXT("m"), 60000},
    {TEXT("h"), 3600000}, {TEXT("d"), 86400000},
};

static int parse_with_units(struct text text, const struct unit *units, size_t n_units,
			    uint64_t *value)
{
	uint64_t factor = 1, number;
	for (size_t i = 0; i < n_units; i++) {
		if (text_ends(text, units[i].suffix)) {
			text.size -= units[i].suffix.size;
			factor = units[i].factor;
			break;
		}
	}
	if (text_parse_u64(text_trim(text), INT64_MAX / factor, &number))
		return 1;
	*value = number * factor;
	return 0;
}

static int parse_level(struct text text, uint64_t *value)
{
	enum log_level level;
	if (log_level_parse(text, &level))
		return 1;
	*value = level;
	return 0;
}

static int parse_form(enum setting_type type, struct text text, uint64_t *value)
{
	switch (type) {
	case SETTING_COUNT:
		return text_parse_u64(text, INT64_MAX, value);
	case SETTING_SIZE:
		return parse_with_units(text, sizes, ARRAY_SIZE(sizes), value);
	case SETTING_DURATION:
		return parse_with_units(text, durations, ARRAY_SIZE(durations), value);
	case SETTING_LEVEL:
		return parse_level(text, value);
	default:
		return 1;
	}
}

int setting_parse(const struct setting *setting, struct text text, uint64_t *value)
{
	uint64_t number;
	if (parse_form(setting->type, text, &number))
		return 1;
	if (setting_has_range(setting) && (number < setting->least || number > setting->most))
		return 1;
	*value = number;
	return 0;
}

/* The largest unit that divides `value`. */
static void show_with_units(uint64_t value, const struct unit *units, size_t n_units, char *out,
			    size_t size)
{
	const struct unit *best = NULL;
	for (size_t i = 0; i < n_units; i++)
		if (value && value % units[i].factor == 0 &&
		    (!best || units[i].factor > best->factor))
			best = &units[i];
	snprintf(out, size, "%" PRIu64 "%s", best ? value / best->factor : value,
		 best ? best->suffix.data : "");
}

void setting_show(const struct setting *setting, uint64_t value, char out[SETTING_SHOWN_SIZE])
{
	if (setting->type == SETTING_SIZE)
		show_with_units(value, sizes, ARRAY_SIZE(sizes), out, SETTING_SHOWN_SIZE);
	else if (setting->type == SETTING_DURATION)
		show_with_units(value, durations, ARRAY_SIZE(durations), out, SETTING_SHOWN_SIZE);
	else
		snprintf(out, SETTING_SHOWN_SIZE, "%" PRIu64, value);
}
