/* What an archive may call its entries and where its links may lead. Pure functions of foreign
 * bytes: names stay below the folder that is unpacked into, whatever lies there already. */
#pragma once

#include "base/text.h"

#include <limits.h>

enum { ENTRY_DEPTH_MAX = 128 };

enum entry_verdict {
	ENTRY_FINE,
	ENTRY_IS_FOLDER_ITSELF, /* "." or "./" */
	ENTRY_EMPTY,
	ENTRY_ABSOLUTE,
	ENTRY_DOT_DOT,
	ENTRY_TOO_LONG,
	ENTRY_NOT_TEXT, /* control characters, or not UTF-8 */
	ENTRY_LEADS_OUT,
	ENTRY_VERDICTS
};

/* Sentences to go with the entry's name: "is absolute" and so on. */
extern const char *const entry_verdicts[ENTRY_VERDICTS];

/* On ENTRY_FINE `clean` is the name without ".", empty components and a trailing slash. */
enum entry_verdict entry_name_check(struct text name, char clean[PATH_MAX]);

/* `target` of the symbolic link with the clean name `link`. ".." may only stand at its beginning:
 * behind a name that is itself a link it would lead somewhere else than it looks. */
enum entry_verdict entry_link_check(const char *link, struct text target);
