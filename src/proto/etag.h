/* Entity tags as HTTP compares them (RFC 9110, 8.8.3 and 13.1): by control for downloads, by the
 * agent where a change must not be made to another version. */
#pragma once

#include "base/text.h"

enum { ETAG_LIST_LIMIT = 1024 };

/* Whether `list`, the value of If-Match or If-None-Match or of `ifMatch` in JSON, names `etag`,
 * which is in quotes: "*" names all; in JSON the quotes may be missing. A weak one ("W/") counts
 * only if `weak`. */
bool etag_list_has(struct text list, struct text etag, bool weak);
