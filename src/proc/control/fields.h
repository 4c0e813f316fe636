/* What the fields of several calls have in common: names, labels, and the parts of an answer. */
#pragma once

#include "proc/control/request.h"

enum { NAME_LIMIT = 128, LABEL_LIMIT = 64 };

/* A name is for people: 1 to NAME_LIMIT bytes of UTF-8 without control characters. A label is for
 * machines: 1 to LABEL_LIMIT of a-z 0-9 . _ -. 0; 1: the request was answered. */
int field_check_name(struct control_request *request, const char *field,
		     struct text name) ATTR_MUST_CHECK;
int field_check_label(struct control_request *request, const char *field,
		      struct text label) ATTR_MUST_CHECK;

/* E-mail addresses are compared without regard to case: a copy in lower case (ASCII), data NULL
 * without memory. */
struct text field_email(struct arena *arena, struct text email);

void field_id(struct json *json, const char *key, enum id_kind kind, struct uuid id);
void field_text(struct json *json, const char *key, struct text text); /* empty writes null */
void field_time(struct json *json, const char *key, int64_t wall_ms);  /* 0 writes null */

/* The Location header: the path and the id behind it. */
void field_location(struct control_request *request, const char *path, enum id_kind kind,
		    struct uuid id);
