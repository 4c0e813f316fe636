/* Any bytes as a client's JSON body: read, bound by a table of every type, written again and read
 * once more. */
#include "wire/codec.h"
#include "json/document.h"

#include <stdlib.h>

struct target {
	struct text text, raw;
	bool flag;
	uint64_t number;
	int64_t time;
	struct wire_list list;
	const struct document_value *object, *any;
};

static const struct document_field fields[] = {
    {"text", DOCUMENT_TEXT, .offset = offsetof(struct target, text), .limit = 100},
    {"raw", DOCUMENT_RAW_TEXT, .offset = offsetof(struct target, raw), .limit = 100},
    {"flag", DOCUMENT_BOOL, .offset = offsetof(struct target, flag)},
    {"number", DOCUMENT_U64, .offset = offsetof(struct target, number), .limit = 1000},
    {"time", DOCUMENT_TIME, .offset = offsetof(struct target, time)},
    {"list", DOCUMENT_TEXT_LIST, .offset = offsetof(struct target, list), .limit = 16},
    {"object", DOCUMENT_OBJECT, .offset = offsetof(struct target, object)},
    {"any", DOCUMENT_ANY, .offset = offsetof(struct target, any), .nullable = true},
};

static void check_message(const struct document_error *error)
{
	if (!text_is_utf8(text_of(error->message)) || error->message[0] == '\0')
		abort();
}

static void check_round_trip(const struct document *document)
{
	struct buffer first ATTR_BUFFER = {0}, second ATTR_BUFFER = {0};
	struct document *again ATTR_DOCUMENT = NULL;
	struct document_error error;
	if (document_write(document_root(document), true, &first) < 0)
		return;
	if (document_parse(buffer_bytes(&first), SIZE_MAX, &again, &error) != 0 ||
	    document_write(document_root(again), true, &second) < 0 ||
	    !text_equal(buffer_text(&first), buffer_text(&second)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct arena arena ATTR_ARENA = {0};
	struct document_error error;
	struct target target = {0};
	uint64_t present;

	if (document_parse((struct bytes){data, size}, 1 << 20, &document, &error) != 0) {
		check_message(&error);
		return 0;
	}
	check_round_trip(document);
	if (document_bind(document_root(document),
			  (struct document_table){fields, ARRAY_SIZE(fields)}, &arena, &target,
			  &present, &error) != 0)
		check_message(&error);
	return 0;
}
