#include "engine/ledger/export.h"

#include "base/error.h"
#include "base/json.h"

/* A tree, or a part of it, and the selected entries that lie in it. */
struct part {
	uint64_t begin, end;
	const struct export_entry *entries;
	size_t count;
};

static void split(const struct part *part, struct part *left, struct part *right)
{
	uint64_t half = (uint64_t)1 << (63 - __builtin_clzll(part->end - part->begin - 1));
	uint64_t middle = part->begin + half;
	size_t in_left = 0;
	while (in_left < part->count && part->entries[in_left].seq < middle)
		in_left++;
	*left = (struct part){part->begin, middle, part->entries, in_left};
	*right = (struct part){middle, part->end, part->entries + in_left, part->count - in_left};
}

static int write_hashes(const struct ledger_source *source, const struct part *part,
			struct json *json)
{
	struct part left, right;
	struct digest_value hash;
	if (part->count == 0) {
		int r = ledger_range_hash(source, part->begin, part->end, &hash);
		if (r == 0)
			json_base64(json, digest_bytes(&hash));
		return error_trace(r);
	}
	if (part->end - part->begin == 1)
		return 0;
	split(part, &left, &right);
	int r = write_hashes(source, &left, json);
	return r < 0 ? r : write_hashes(source, &right, json);
}

int export_prove(const struct ledger_source *source, struct text checkpoint_note, uint64_t size,
		 const struct export_entry *entries, size_t count, struct buffer *out)
{
	struct json json = json_to(out);
	json_object(&json);
	json_key(&json, "proof");
	json_object(&json);
	json_key(&json, "checkpoint");
	json_text(&json, checkpoint_note);
	json_key(&json, "entries");
	json_array(&json);
	for (size_t i = 0; i < count; i++) {
		json_object(&json);
		json_key(&json, "seq");
		json_u64(&json, entries[i].seq);
		json_key(&json, "leaf");
		json_base64(&json, digest_bytes(&entries[i].leaf));
		json_object_end(&json);
	}
	json_array_end(&json);
	json_key(&json, "hashes");
	json_array(&json);
	struct part whole = {0, size, entries, count};
	int r = size > 0 ? write_hashes(source, &whole, &json) : 0;
	if (r < 0)
		return error_trace(r);
	json_array_end(&json);
	json_object_end(&json);
	json_object_end(&json);
	return error_trace(buffer_check(out));
}

static int fold(const struct part *part, struct bytes *hashes, struct digest_value *hash)
{
	struct part left, right;
	struct digest_value left_hash, right_hash;
	if (part->count == 0) {
		if (hashes->size < DIGEST_SIZE)
			return 1;
		memcpy(hash->b, hashes->data, DIGEST_SIZE);
		*hashes = (struct bytes){hashes->data + DIGEST_SIZE, hashes->size - DIGEST_SIZE};
		return 0;
	}
	if (part->end - part->begin == 1) {
		*hash = part->entries[0].leaf;
		return part->count == 1 ? 0 : 1;
	}
	split(part, &left, &right);
	if (fold(&left, hashes, &left_hash) || fold(&right, hashes, &right_hash))
		return 1;
	*hash = ledger_node_hash(&left_hash, &right_hash);
	return 0;
}

int export_root(uint64_t size, const struct export_entry *entries, size_t count,
		struct bytes hashes, struct digest_value *root)
{
	struct part whole = {0, size, entries, count};
	if (size == 0) {
		*root = digest_of((struct bytes){0});
		return count == 0 && hashes.size == 0 ? 0 : 1;
	}
	if (count > 0 && entries[count - 1].seq >= size)
		return 1;
	struct digest_value folded;
	if (fold(&whole, &hashes, &folded) || hashes.size > 0)
		return 1;
	*root = folded;
	return 0;
}
