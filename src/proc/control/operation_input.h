/* A client's `input` of an operation: from JSON to struct operation_input by the table of fields of
 * its type (proto/operation.c). Whatever it accepts can be encoded and passes the wire's limits. */
#pragma once

#include "proto/operation.h"
#include "json/document.h"

/* Texts and lists lie in the document and the arena. 0; 1 refused, `error` says why; -ENOMEM. */
int operation_input_read(enum operation_kind kind, const struct document_value *value,
			 struct arena *arena, struct operation_input *input,
			 struct document_error *error) ATTR_MUST_CHECK;
