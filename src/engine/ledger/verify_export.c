#include "base/encode.h"
#include "base/error.h"
#include "engine/ledger/export.h"
#include "engine/ledger/report.h"
#include "json/document.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { LINE_LIMIT = 16 << 20 };

struct reading {
	struct verify_report *report;
	const struct checkpoint_key *key;
	struct checkpoint known;
	uint64_t line;
	uint64_t next_seq; /* order holds across proofs too */
	size_t count;      /* entries that wait for their proof */
	struct export_entry entries[EXPORT_ENTRIES_MAX];
	struct export_entry claimed[EXPORT_ENTRIES_MAX];
};

static int malformed(struct reading *reading, const char *why)
{
	report_set(reading->report, VERIFY_EXPORT_MALFORMED, "line %" PRIu64 ": %s", reading->line,
		   why);
	report_at(reading->report, reading->line);
	return 1;
}

static int wrong_at(struct reading *reading, enum verify_outcome outcome, uint64_t seq)
{
	report_set(reading->report, outcome, "entry %" PRIu64, seq);
	report_at(reading->report, seq);
	return 1;
}

static int take_entry(struct reading *reading, struct text line)
{
	struct export_entry *entry = &reading->entries[reading->count];
	if (reading->count == EXPORT_ENTRIES_MAX)
		return malformed(reading, "too many entries without a proof");
	if (report_entry_seq(line, &entry->seq))
		return malformed(reading, "neither an entry nor a proof");
	entry->leaf = ledger_leaf_hash(text_bytes(line));
	reading->count++;
	return 0;
}

static int read_hash(const struct document_value *value, struct buffer *out)
{
	size_t before = out->size;
	if (!value || document_kind(value) != DOCUMENT_IS_TEXT)
		return 1;
	int r = decode_base64(out, document_text(value));
	return r ? r : out->size - before == DIGEST_SIZE ? 0 : 1;
}

static int read_claimed(const struct document_value *value, struct export_entry *entry)
{
	struct buffer leaf ATTR_BUFFER = {0};
	if (document_kind(value) != DOCUMENT_IS_OBJECT)
		return 1;
	const struct document_value *seq = document_member(value, "seq");
	if (!seq || document_kind(seq) != DOCUMENT_IS_INTEGER || document_integer(seq) < 0)
		return 1;
	int r = read_hash(document_member(value, "leaf"), &leaf);
	if (r)
		return r;
	entry->seq = (uint64_t)document_integer(seq);
	memcpy(entry->leaf.b, leaf.data, DIGEST_SIZE);
	return 0;
}

/* The exported lines against what the proof says was exported: here a position is found. */
static int compare(struct reading *reading, size_t claimed)
{
	for (size_t i = 0; i < claimed || i < reading->count; i++) {
		const struct export_entry *own = i < reading->count ? &reading->entries[i] : NULL;
		const struct export_entry *said = i < claimed ? &reading->claimed[i] : NULL;
		if (!said)
			return wrong_at(reading, VERIFY_ENTRY_MISPLACED, own->seq);
		if (!own)
			return wrong_at(reading, VERIFY_ENTRY_MISSING, said->seq);
		if (own->seq != said->seq || said->seq < reading->next_seq)
			return wrong_at(reading, VERIFY_ENTRY_MISPLACED,
					own->seq < said->seq ? own->seq : said->seq);
		if (!digest_equal(&own->leaf, &said->leaf))
			return wrong_at(reading, VERIFY_ENTRY_ALTERED, own->seq);
		reading->next_seq = own->seq + 1;
	}
	return 0;
}

static int check_root(struct reading *reading, struct bytes hashes)
{
	struct digest_value root;
	const struct checkpoint *checkpoint = &reading->report->checkpoint;
	if (export_root(checkpoint->size, reading->entries, reading->count, hashes, &root))
		return malformed(reading, "the proof does not fit the checkpoint");
	if (!digest_equal(&root, &checkpoint->root)) {
		report_set(reading->report, VERIFY_ROOT_DIFFERS,
			   "line %" PRIu64 ": the proof does not lead to the signed root",
			   reading->line);
		return 1;
	}
	if (reading->known.size == checkpoint->size && checkpoint->size > 0 &&
	    !digest_equal(&reading->known.root, &checkpoint->root)) {
		report_set(reading->report, VERIFY_HISTORY_CHANGED,
			   "two roots are signed for one size");
		return 1;
	}
	reading->report->entries += reading->count;
	reading->count = 0;
	return 0;
}

static int read_hashes(const struct document_value *list, struct buffer *hashes)
{
	for (size_t i = 0; i < document_count(list); i++) {
		int r = read_hash(document_element(list, i), hashes);
		if (r)
			return r;
	}
	return 0;
}

static int check_proof(struct reading *reading, const struct document_value *proof)
{
	struct buffer hashes ATTR_BUFFER = {0};
	const struct document_value *note = document_member(proof, "checkpoint");
	const struct document_value *entries = document_member(proof, "entries");
	const struct document_value *list = document_member(proof, "hashes");
	if (!note || document_kind(note) != DOCUMENT_IS_TEXT || !entries ||
	    document_kind(entries) != DOCUMENT_IS_LIST || !list ||
	    document_kind(list) != DOCUMENT_IS_LIST || document_count(entries) > EXPORT_ENTRIES_MAX)
		return malformed(reading, "the proof is malformed");
	if (report_open_checkpoint(reading->report, document_text(note), reading->key,
				   &reading->report->checkpoint))
		return 1;
	int r = 0;
	for (size_t i = 0; r == 0 && i < document_count(entries); i++)
		r = read_claimed(document_element(entries, i), &reading->claimed[i]);
	if (r == 0)
		r = read_hashes(list, &hashes);
	if (r)
		return r < 0 ? r : malformed(reading, "the proof is malformed");
	r = compare(reading, document_count(entries));
	return r ? r : check_root(reading, buffer_bytes(&hashes));
}

static int take_proof(struct reading *reading, struct text line)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	int r = document_parse(text_bytes(line), LINE_LIMIT, &document, &error);
	if (r)
		return r < 0 ? error_trace(r) : malformed(reading, "the proof is not JSON");
	const struct document_value *root = document_root(document);
	const struct document_value *proof =
	    document_kind(root) == DOCUMENT_IS_OBJECT ? document_member(root, "proof") : NULL;
	if (!proof || document_kind(proof) != DOCUMENT_IS_OBJECT)
		return malformed(reading, "the proof is malformed");
	return check_proof(reading, proof);
}

static int take_lines(struct reading *reading, struct text export)
{
	bool proven = false;
	while (export.size > 0) {
		struct text line;
		text_split(&export, '\n', &line);
		reading->line++;
		proven = text_starts(line, TEXT("{\"proof\":"));
		int r = proven ? take_proof(reading, line) : take_entry(reading, line);
		if (r)
			return r;
	}
	return proven ? 0 : malformed(reading, "the export ends without a proof");
}

int verify_export(struct text export, const struct checkpoint_key *key, struct text known,
		  struct verify_report *report)
{
	*report = (struct verify_report){0};
	struct reading *reading = calloc(1, sizeof(*reading));
	if (!reading)
		return error_origin(-ENOMEM);
	reading->report = report;
	reading->key = key;
	int r = known.size > 0 ? report_open_checkpoint(report, known, key, &reading->known) : 0;
	if (r == 0)
		r = take_lines(reading, export);
	free(reading);
	return r < 0 ? error_trace(r) : 0;
}
