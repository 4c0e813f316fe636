/* control <-> stream: the events that control writes (queued, started, completed, failed, named
 * streams' messages), and the readers that it admits. A gateway asks control for a reader; control
 * authorises and orders it here; the stream role then answers that gateway directly
 * (gateway_stream.h). So a gateway reads nothing that control did not allow. */
#pragma once

#include "proto/event.h"
#include "wire/channel.h"

enum control_stream_type {
	CONTROL_STREAM_APPEND = 1,  /* control: struct event_append */
	CONTROL_STREAM_APPENDED,    /* stream: struct event_appended */
	CONTROL_STREAM_READER_OPEN, /* control */
	CONTROL_STREAM_READER_STOP, /* control: the right to read was withdrawn (key revoked,
				       project deleted) */
	CONTROL_STREAM_FORGET,  /* control: a project was deleted; its events are hidden at once,
				   also after a restart, and  go when their segments expire. Not
				   acknowledged: may be said again */
	CONTROL_STREAM_FIGURES, /* stream: every few seconds, for the metrics */
	CONTROL_STREAM_TYPES
};

enum reader_scope {
	READER_OPERATION,
	READER_CORRELATION, /* within one workspace */
	READER_PROJECT,
	READER_NAMED_STREAM,
	READER_SCOPES
};

enum reader_start { READER_AT_START, READER_AT_END, READER_AT_CURSOR };

struct control_stream_reader_open {
	uint16_t gateway; /* index of the gateway that serves it */
	uint64_t reader;  /* that gateway's number for it */
	uint8_t scope;    /* enum reader_scope */
	struct uuid workspace;
	struct uuid project;   /* zero for a correlation */
	struct uuid operation; /* of READER_OPERATION */
	struct text name;      /* correlation or name of the stream */
	uint8_t start;         /* enum reader_start */
	struct text cursor;    /* of READER_AT_CURSOR, as the client gave it: hostile */
	uint32_t types;        /* bits 1 << event_type that are wanted; 0: all */
	struct uuid
	    key; /* the API key that opened it, for READER_STOP; zero with another credential */
};

struct control_stream_reader_stop {
	struct uuid key;     /* all readers of this key, or */
	struct uuid project; /* all readers of this project */
};

struct control_stream_forget {
	struct uuid workspace;
	struct uuid project;
};

struct control_stream_figures {
	struct wire_list
	    figures; /* of struct wire_pair: name as in the exposition, decimal value */
};

extern const struct protocol control_stream_protocol;
