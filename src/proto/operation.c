#include "proto/operation.h"

#include "proto/etag.h"

#define IN(type, member, limit) WIRE_FIELD(struct operation_input, type, member, limit)

static const struct wire_field edit_fields[] = {
    WIRE_FIELD(struct operation_edit, WIRE_TEXT, old, INLINE_CONTENT_LIMIT),
    WIRE_FIELD(struct operation_edit, WIRE_TEXT, new, INLINE_CONTENT_LIMIT),
    WIRE_FIELD(struct operation_edit, WIRE_BOOL, all, 0),
};
static const struct wire_struct edit = WIRE_STRUCT(operation_edit, edit_fields);

static const struct wire_field input_fields[] = {
    IN(WIRE_TEXT, path, PATH_LIMIT),
    IN(WIRE_TEXT, to, PATH_LIMIT),
    IN(WIRE_BYTES, content, INLINE_CONTENT_LIMIT),
    IN(WIRE_BOOL, has_content, 0),
    IN(WIRE_TEXT, if_match, ETAG_LIST_LIMIT),
    IN(WIRE_TEXT, if_none_match, ETAG_LIST_LIMIT),
    IN(WIRE_BOOL, has_mode, 0),
    IN(WIRE_U32, mode, 0),
    IN(WIRE_BOOL, recursive, 0),
    IN(WIRE_BOOL, parents, 0),
    IN(WIRE_BOOL, overwrite, 0),
    IN(WIRE_U64, offset, 0),
    IN(WIRE_U64, length, 0),
    IN(WIRE_U32, limit, 0),
    IN(WIRE_TEXT, after, PATH_LIMIT),
    IN(WIRE_TEXT, pattern, 4096),
    IN(WIRE_BOOL, regex, 0),
    IN(WIRE_BOOL, ignore_case, 0),
    IN(WIRE_U32, context, 0),
    WIRE_FIELD_LIST(struct operation_input, include, 64, &wire_text_element),
    WIRE_FIELD_LIST(struct operation_input, exclude, 64, &wire_text_element),
    WIRE_FIELD_LIST(struct operation_input, edits, 256, &edit),
    IN(WIRE_TEXT, format, 16),
    WIRE_FIELD_LIST(struct operation_input, argv, ARGV_LIMIT, &wire_text_element),
    IN(WIRE_TEXT, cwd, PATH_LIMIT),
    WIRE_FIELD_LIST(struct operation_input, env, ENV_LIMIT, &wire_pair_element),
    IN(WIRE_BYTES, stdin_data, INLINE_CONTENT_LIMIT),
    IN(WIRE_BOOL, stdin_open, 0),
    IN(WIRE_BOOL, pty, 0),
    IN(WIRE_U16, cols, 0),
    IN(WIRE_U16, rows, 0),
    IN(WIRE_BOOL, background, 0),
};
const struct wire_struct operation_input_struct = WIRE_STRUCT(operation_input, input_fields);

#define OPTIONAL(name, type, member, limit, help)                                                  \
	{                                                                                          \
		name, type, false, offsetof(struct operation_input, member), limit, help           \
	}
#define REQUIRED(name, type, member, limit, help)                                                  \
	{                                                                                          \
		name, type, true, offsetof(struct operation_input, member), limit, help            \
	}
#define PATH_FIELD                                                                                 \
	REQUIRED("path", FIELD_PATH, path, PATH_LIMIT,                                             \
		 "absolute in the instance, or relative to /project")

static const struct operation_field read_fields[] = {
    PATH_FIELD,
    OPTIONAL("offset", FIELD_U64, offset, INT64_MAX, "first byte to read"),
    OPTIONAL("length", FIELD_U64, length, INLINE_CONTENT_LIMIT, "bytes to read, at most 1 MiB"),
};
static const struct operation_field write_fields[] = {
    PATH_FIELD,
    REQUIRED("content", FIELD_CONTENT, content, INLINE_CONTENT_LIMIT,
	     "the whole new content, at most 1 MiB"),
    OPTIONAL("ifMatch", FIELD_TEXT, if_match, ETAG_LIST_LIMIT,
	     "write only if the file has this etag"),
    OPTIONAL("ifNoneMatch", FIELD_TEXT, if_none_match, 1,
	     "\"*\": write only if there is no such file"),
    OPTIONAL("mode", FIELD_MODE, mode, 0777, "permission bits"),
    OPTIONAL("parents", FIELD_BOOL, parents, 0, "make missing parent folders"),
};
static const struct operation_field stat_fields[] = {PATH_FIELD};
static const struct operation_field list_fields[] = {
    PATH_FIELD,
    OPTIONAL("recursive", FIELD_BOOL, recursive, 0, "also what lies in folders below"),
    OPTIONAL("limit", FIELD_U32, limit, 10000, "entries at most; default 1000"),
    OPTIONAL("after", FIELD_PATH, after, PATH_LIMIT, "go on after this entry"),
};
static const struct operation_field mkdir_fields[] = {
    PATH_FIELD,
    OPTIONAL("parents", FIELD_BOOL, parents, 0, "make missing parents; an existing folder is fine"),
    OPTIONAL("mode", FIELD_MODE, mode, 0777, "permission bits"),
};
static const struct operation_field move_fields[] = {
    PATH_FIELD,
    REQUIRED("to", FIELD_PATH, to, PATH_LIMIT, "the new path"),
    OPTIONAL("overwrite", FIELD_BOOL, overwrite, 0, "replace what is there"),
};
static const struct operation_field copy_fields[] = {
    PATH_FIELD,
    REQUIRED("to", FIELD_PATH, to, PATH_LIMIT, "path of the copy"),
    OPTIONAL("recursive", FIELD_BOOL, recursive, 0, "copy a folder with all in it"),
    OPTIONAL("overwrite", FIELD_BOOL, overwrite, 0, "replace what is there"),
};
static const struct operation_field remove_fields[] = {
    PATH_FIELD,
    OPTIONAL("recursive", FIELD_BOOL, recursive, 0, "remove a folder with all in it"),
    OPTIONAL("ifMatch", FIELD_TEXT, if_match, ETAG_LIST_LIMIT,
	     "remove only if the file has this etag"),
};
static const struct operation_field chmod_fields[] = {
    PATH_FIELD,
    REQUIRED("mode", FIELD_MODE, mode, 0777, "permission bits"),
};
static const struct operation_field symlink_fields[] = {
    PATH_FIELD,
    REQUIRED("to", FIELD_TEXT, to, PATH_LIMIT, "what the link says"),
    OPTIONAL("overwrite", FIELD_BOOL, overwrite, 0, "replace a link that is there"),
};
static const struct operation_field patch_fields[] = {
    OPTIONAL("path", FIELD_PATH, path, PATH_LIMIT,
	     "folder that the diff's names start from; default /project"),
    REQUIRED("patch", FIELD_CONTENT, content, INLINE_CONTENT_LIMIT,
	     "unified diff; all hunks or none"),
};
static const struct operation_field edit_operation_fields[] = {
    PATH_FIELD,
    REQUIRED("edits", FIELD_EDITS, edits, 256, "exact replacements; all or none"),
    OPTIONAL("ifMatch", FIELD_TEXT, if_match, ETAG_LIST_LIMIT,
	     "edit only if the file has this etag"),
};
static const struct operation_field search_fields[] = {
    OPTIONAL("path", FIELD_PATH, path, PATH_LIMIT, "file or folder to search; default /project"),
    REQUIRED("pattern", FIELD_TEXT, pattern, 4096, "what to look for"),
    OPTIONAL("regex", FIELD_BOOL, regex, 0, "the pattern is a POSIX extended regular expression"),
    OPTIONAL("ignoreCase", FIELD_BOOL, ignore_case, 0, "letters match in either case"),
    OPTIONAL("include", FIELD_TEXT_LIST, include, 64, "globs of names to search"),
    OPTIONAL("exclude", FIELD_TEXT_LIST, exclude, 64, "globs of names to pass over"),
    OPTIONAL("context", FIELD_U32, context, 20, "lines shown around a match"),
    OPTIONAL("limit", FIELD_U32, limit, 10000, "matches at most; default 1000"),
};
static const struct operation_field import_fields[] = {
    OPTIONAL("path", FIELD_PATH, path, PATH_LIMIT, "folder to unpack into; default /project"),
    REQUIRED("content", FIELD_CONTENT, content, INLINE_CONTENT_LIMIT,
	     "the archive; more than 1 MiB goes through /archive"),
    OPTIONAL("format", FIELD_TEXT, format, 16,
	     "tar, tar.gz, tar.zst or zip; found out when missing"),
};
static const struct operation_field export_fields[] = {
    OPTIONAL("path", FIELD_PATH, path, PATH_LIMIT, "what to pack; default /project"),
    OPTIONAL("format", FIELD_TEXT, format, 16, "tar, tar.gz, tar.zst or zip; default tar.gz"),
};
static const struct operation_field watch_fields[] = {
    OPTIONAL("path", FIELD_PATH, path, PATH_LIMIT, "folder to watch; default /project"),
    OPTIONAL("recursive", FIELD_BOOL, recursive, 0, "also folders below"),
};
static const struct operation_field run_fields[] = {
    OPTIONAL("argv", FIELD_TEXT_LIST, argv, ARGV_LIMIT, "program and arguments"),
    OPTIONAL("shell", FIELD_SHELL, argv, WIRE_ELEMENT_LIMIT,
	     "text for /bin/sh -c, in place of argv"),
    OPTIONAL("cwd", FIELD_PATH, cwd, PATH_LIMIT, "folder to run in; default /project"),
    OPTIONAL("env", FIELD_ENV, env, ENV_LIMIT, "added to the environment"),
    OPTIONAL("stdin", FIELD_STDIN, stdin_data, INLINE_CONTENT_LIMIT, "standard input"),
    OPTIONAL("stdinOpen", FIELD_BOOL, stdin_open, 0,
	     "more standard input will come through /input"),
    OPTIONAL("pty", FIELD_PTY, pty, 0, "a terminal of this size"),
    OPTIONAL("background", FIELD_BOOL, background, 0,
	     "complete once started; the process lives on"),
};

#define TYPE(name, flags, fields, help)                                                            \
	{                                                                                          \
		name, flags, fields, ARRAY_SIZE(fields), help                                      \
	}
const struct operation_type operation_types[OPERATION_KINDS] = {
    [OPERATION_FS_READ] = TYPE("fs.read", 0, read_fields, "read a file"),
    [OPERATION_FS_WRITE] =
	TYPE("fs.write", OPERATION_WRITES, write_fields, "replace or make a file"),
    [OPERATION_FS_STAT] = TYPE("fs.stat", 0, stat_fields, "what a path is"),
    [OPERATION_FS_LIST] = TYPE("fs.list", 0, list_fields, "what a folder holds"),
    [OPERATION_FS_MKDIR] = TYPE("fs.mkdir", OPERATION_WRITES, mkdir_fields, "make a folder"),
    [OPERATION_FS_MOVE] = TYPE("fs.move", OPERATION_WRITES, move_fields, "rename"),
    [OPERATION_FS_COPY] = TYPE("fs.copy", OPERATION_WRITES, copy_fields, "copy"),
    [OPERATION_FS_REMOVE] = TYPE("fs.remove", OPERATION_WRITES, remove_fields, "remove"),
    [OPERATION_FS_CHMOD] = TYPE("fs.chmod", OPERATION_WRITES, chmod_fields, "set permission bits"),
    [OPERATION_FS_SYMLINK] =
	TYPE("fs.symlink", OPERATION_WRITES, symlink_fields, "make a symbolic link"),
    [OPERATION_FS_PATCH] = TYPE("fs.patch", OPERATION_WRITES, patch_fields, "apply a unified diff"),
    [OPERATION_FS_EDIT] =
	TYPE("fs.edit", OPERATION_WRITES, edit_operation_fields, "replace exact texts"),
    [OPERATION_FS_SEARCH] = TYPE("fs.search", 0, search_fields, "find text in files"),
    [OPERATION_FS_IMPORT] = TYPE("fs.import", OPERATION_WRITES, import_fields, "unpack an archive"),
    [OPERATION_FS_EXPORT] = TYPE("fs.export", 0, export_fields, "pack an archive"),
    [OPERATION_FS_WATCH] =
	TYPE("fs.watch", OPERATION_STREAMS, watch_fields, "tell changes until cancelled"),
    [OPERATION_COMMAND_RUN] =
	TYPE("command.run", OPERATION_WRITES | OPERATION_TAKES_INPUT, run_fields, "run a command"),
};

int operation_parse(struct text name, enum operation_kind *kind)
{
	for (int i = 0; i < OPERATION_KINDS; i++) {
		if (text_equal(name, text_of(operation_types[i].name))) {
			*kind = (enum operation_kind)i;
			return 0;
		}
	}
	return 1;
}
