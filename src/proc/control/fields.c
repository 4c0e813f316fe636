#include "proc/control/fields.h"

#include "proc/control/answer.h"

#include <stdio.h>

int field_check_name(struct control_request *request, const char *field, struct text name)
{
	bool fine = name.size >= 1 && name.size <= NAME_LIMIT;
	for (size_t i = 0; fine && i < name.size; i++) {
		uint8_t c = (uint8_t)name.data[i];
		bool c1 = c == 0xc2 && i + 1 < name.size && (uint8_t)name.data[i + 1] < 0xa0;
		fine = c >= 0x20 && c != 0x7f && !c1;
	}
	if (fine)
		return 0;
	control_answer_problem(request, PROBLEM_INVALID_INPUT,
			       "\"%s\" must have 1 to %d bytes and no control characters", field,
			       NAME_LIMIT);
	return 1;
}

static bool is_label_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

int field_check_label(struct control_request *request, const char *field, struct text label)
{
	bool fine = label.size >= 1 && label.size <= LABEL_LIMIT;
	for (size_t i = 0; fine && i < label.size; i++)
		fine = is_label_character(label.data[i]);
	if (fine)
		return 0;
	control_answer_problem(request, PROBLEM_INVALID_INPUT,
			       "\"%s\" must have 1 to %d of the characters a-z 0-9 . _ -", field,
			       LABEL_LIMIT);
	return 1;
}

struct text field_email(struct arena *arena, struct text email)
{
	struct text copy = arena_text(arena, email);
	for (size_t i = 0; copy.data && i < copy.size; i++)
		if (copy.data[i] >= 'A' && copy.data[i] <= 'Z')
			((char *)(uintptr_t)copy.data)[i] = (char)(copy.data[i] + 32);
	return copy;
}

void field_id(struct json *json, const char *key, enum id_kind kind, struct uuid id)
{
	json_key(json, key);
	json_cstring(json, id_format(kind, id).data);
}

void field_text(struct json *json, const char *key, struct text text)
{
	json_key(json, key);
	if (text.size > 0)
		json_text(json, text);
	else
		json_null(json);
}

void field_time(struct json *json, const char *key, int64_t wall_ms)
{
	json_key(json, key);
	json_time(json, wall_ms);
}

void field_location(struct control_request *request, const char *path, enum id_kind kind,
		    struct uuid id)
{
	char location[160];
	int size = snprintf(location, sizeof(location), "%s/%s", path, id_format(kind, id).data);
	control_answer_header(request, "location", (struct text){location, (size_t)size});
}
