/* How functions say what happened, everywhere in Croft:
 *
 *    0         done; outputs are written
 *    negative  fatal to what was being done: an errno, negated; it travels up untouched
 *    positive  a named outcome of that function, which its direct caller handles
 *
 * error_origin() marks the place where a fatal error was born, error_trace() a place that it
 * passed. Both return their argument, and at log level `debug` leave a line, so that the path can
 * be read. */
#pragma once

#include "base/attributes.h"

#define error_origin(code) error_note((code), "origin", __FILE__, __LINE__, __func__)
#define error_trace(code)  error_note((code), "trace", __FILE__, __LINE__, __func__)

int error_note(int code, const char *kind, const char *file, int line, const char *function);
