/* Whatever an archive calls an entry: a name that is accepted stays below the folder. */
#include "archive/entry_name.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void require_below(const char *name)
{
	require(*name && *name != '/' && strlen(name) < PATH_MAX);
	for (const char *at = name; at; at = strchr(at, '/')) {
		at += *at == '/';
		require(*at && *at != '/');
		require(strcmp(at, "..") != 0 && strncmp(at, "../", 3) != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char clean[PATH_MAX], again[PATH_MAX];
	struct text name = {(const char *)data, size}, head;
	if (entry_name_check(name, clean) == ENTRY_FINE) {
		require_below(clean);
		require(entry_name_check(text_of(clean), again) == ENTRY_FINE);
		require(strcmp(clean, again) == 0);
	}
	text_split(&name, '\0', &head);
	if (entry_name_check(head, clean) == ENTRY_FINE)
		require(entry_link_check(clean, name) < ENTRY_VERDICTS);
	return 0;
}
