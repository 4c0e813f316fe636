#include "base/error.h"

#include "base/log.h"

#include <string.h>

int error_note(int code, const char *kind, const char *file, int line, const char *function)
{
	if (code < 0 && log_enabled(LOG_DEBUG))
		log_write(LOG_DEBUG, "%s error=\"%s\" at=%s:%d in=%s", kind, strerror(-code), file,
			  line, function);
	return code;
}
