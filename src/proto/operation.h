/* The operations that a client can ask for, as one table: name, who may, and the fields of `input`
 * with their types and limits (API.md, "Operations"). Control validates requests by it, the agent
 * dispatches by it, and the tests hold openapi.yaml against it. An operation is added by a row here
 * and a file in proc/agent/. */
#pragma once

#include "wire/codec.h"

enum operation_kind {
	OPERATION_FS_READ,
	OPERATION_FS_WRITE,
	OPERATION_FS_STAT,
	OPERATION_FS_LIST,
	OPERATION_FS_MKDIR,
	OPERATION_FS_MOVE,
	OPERATION_FS_COPY,
	OPERATION_FS_REMOVE,
	OPERATION_FS_CHMOD,
	OPERATION_FS_SYMLINK,
	OPERATION_FS_PATCH,
	OPERATION_FS_EDIT,
	OPERATION_FS_SEARCH,
	OPERATION_FS_IMPORT,
	OPERATION_FS_EXPORT,
	OPERATION_FS_WATCH,
	OPERATION_COMMAND_RUN,
	OPERATION_KINDS
};

#define OFFSET_FROM_END UINT64_MAX

/* All inputs in one struct: each kind uses the members that its table of fields names, the rest is
 * zero. */
struct operation_input {
	struct text path;     /* absolute in the instance, or relative to /project; no NUL */
	struct text to;       /* move, copy: the destination; symlink: what it points at */
	struct bytes content; /* write: the bytes; patch: the unified diff; import: the archive, if
				 it comes inline */
	bool has_content;
	struct text if_match;      /* an etag, "*" or empty */
	struct text if_none_match; /* "*" or empty */
	bool has_mode;
	uint32_t mode; /* permission bits, at most 0777 */
	bool recursive;
	bool parents;      /* make missing parent folders */
	bool overwrite;    /* move, copy, symlink: replace what is there */
	uint64_t offset;   /* OFFSET_FROM_END: the last `length` bytes */
	uint64_t length;   /* 0: to the end */
	uint32_t limit;    /* list, search: how many; 0: the default */
	struct text after; /* list: name after which to go on */
	struct text pattern;
	bool regex;
	bool ignore_case;
	uint32_t context;         /* search: lines around a match */
	struct wire_list include; /* of struct text: globs */
	struct wire_list exclude;
	struct wire_list edits; /* of struct operation_edit */
	struct text format;     /* tar, tar.gz, tar.zst, zip */
	struct wire_list argv;  /* of struct text */
	struct text cwd;
	struct wire_list env; /* of struct wire_pair */
	struct bytes stdin_data;
	bool stdin_open; /* more will come as input; otherwise standard input ends after stdin_data
			  */
	bool pty;
	uint16_t cols;
	uint16_t rows;
	bool background; /* completes once started; the process lives on in the instance */
};

struct operation_edit {
	struct text old;
	struct text new;
	bool all; /* replace every occurrence; otherwise there must be exactly one */
};

enum operation_field_type {
	FIELD_PATH,
	FIELD_TEXT,
	FIELD_CONTENT, /* "content", or "contentBase64" for any bytes */
	FIELD_BOOL,
	FIELD_U32,
	FIELD_U64,
	FIELD_MODE, /* octal as text ("0755") or a number */
	FIELD_TEXT_LIST,
	FIELD_ENV,   /* an object of texts */
	FIELD_EDITS, /* [{"old","new",["all"]}] */
	FIELD_PTY,   /* {"cols","rows"} or true */
	FIELD_STDIN, /* "stdin" or "stdinBase64" */
	FIELD_SHELL, /* a text for /bin/sh -c; in place of argv */
};

struct operation_field {
	const char *name; /* in JSON */
	enum operation_field_type type;
	bool required;
	size_t offset; /* in struct operation_input */
	uint64_t limit;
	const char *help;
};

enum operation_flags {
	OPERATION_WRITES = 1,  /* changes the project: a viewer may not */
	OPERATION_STREAMS = 2, /* runs until it ends or is cancelled; has no default timeout */
	OPERATION_TAKES_INPUT = 4,
};

struct operation_type {
	const char *name; /* "fs.read" */
	unsigned flags;
	const struct operation_field *fields;
	size_t n_fields;
	const char *help;
};

enum {
	PATH_LIMIT = 4095,
	INLINE_CONTENT_LIMIT =
	    1 << 20, /* of content inside JSON; more goes through the files calls */
	OPERATION_RESULT_LIMIT = 3 << 20,
	ARGV_LIMIT = 1024,
	ENV_LIMIT = 512,
};

extern const struct operation_type operation_types[OPERATION_KINDS];
int operation_parse(struct text name, enum operation_kind *kind); /* 1 if it is none */

extern const struct wire_struct operation_input_struct;
