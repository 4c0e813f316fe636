/* Unified diffs: parsed, and applied in memory. Nothing here touches files. Names and hunks are
 * views into the diff.
 *
 * A hunk must match exactly; only its place may be off, and the nearest place at which it matches
 * is taken. `diff --git` headers may make, delete and rename files and set the executable bit;
 * binary patches and copies are refused. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"

enum { PATCH_FILES_MAX = 256, PATCH_HUNKS_MAX = 10000 };

struct patch_hunk {
	size_t old_line; /* as the diff says it, from 1; 0 in an empty file */
	size_t old_count, new_count;
	struct text body;
};

struct patch_file {
	struct text old_name, new_name; /* without a/ and b/; old empty: made, new empty: deleted */
	bool is_git;
	bool has_names; /* of "---" and "+++" */
	bool has_mode;
	uint32_t mode; /* 0644 or 0755 */
	size_t first_hunk, n_hunks;
};

struct patch {
	struct arena arena;
	struct patch_file *files;
	struct patch_hunk *hunks;
	size_t n_files, n_hunks;
	size_t line;     /* where the error is */
	const char *why; /* what it is */
};

/* 0; 1 with `line` and `why`; -ENOMEM. */
int patch_parse(struct text diff, struct patch *patch) ATTR_MUST_CHECK;
void patch_free(struct patch *patch);

/* 0; 1 with `failed`, from 1, if a hunk matches nowhere; -ENOMEM, -EMSGSIZE past the buffer's
 * limit. */
int patch_apply(const struct patch *patch, const struct patch_file *file, struct text before,
		struct buffer *after, size_t *failed) ATTR_MUST_CHECK;

/* Relative, not empty, without a component "..": what stays in the folder that the diff's names
 * start from. */
bool patch_name_is_inside(struct text name);
