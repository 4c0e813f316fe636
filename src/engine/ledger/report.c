#include "engine/ledger/report.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

const char *const verify_outcome_names[VERIFY_OUTCOMES] = {
    [VERIFY_SOUND] = "sound",
    [VERIFY_UNREADABLE] = "unreadable",
    [VERIFY_CHECKPOINT_BAD] = "checkpoint_bad",
    [VERIFY_ENTRY_ALTERED] = "entry_altered",
    [VERIFY_ENTRY_MISPLACED] = "entry_misplaced",
    [VERIFY_ENTRY_MISSING] = "entry_missing",
    [VERIFY_TILE_WRONG] = "tile_wrong",
    [VERIFY_ROOT_DIFFERS] = "root_differs",
    [VERIFY_HISTORY_CHANGED] = "history_changed",
    [VERIFY_ROLLED_BACK] = "rolled_back",
    [VERIFY_EXPORT_MALFORMED] = "export_malformed",
};

void report_set(struct verify_report *report, enum verify_outcome outcome, const char *format, ...)
{
	char text[VERIFY_DETAIL_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	report->outcome = outcome;
	log_text(report->detail, sizeof(report->detail), text_of(text));
}

void report_at(struct verify_report *report, uint64_t position)
{
	report->has_position = true;
	report->position = position;
}

int report_open_checkpoint(struct verify_report *report, struct text note,
			   const struct checkpoint_key *key, struct checkpoint *checkpoint)
{
	static const char *const reasons[] = {
	    [CHECKPOINT_MALFORMED] = "the checkpoint is malformed",
	    [CHECKPOINT_OTHER_ORIGIN] = "the checkpoint is of another log",
	    [CHECKPOINT_UNSIGNED] = "the checkpoint is not signed by this key",
	    [CHECKPOINT_FORGED] = "the checkpoint's signature is forged",
	};
	int r = checkpoint_open(note, key, checkpoint);
	if (r)
		report_set(report, VERIFY_CHECKPOINT_BAD, "%s", reasons[r]);
	return r ? 1 : 0;
}

int report_entry_seq(struct text entry, uint64_t *seq)
{
	static const struct text begin = TEXT("{\"seq\":");
	struct text digits;
	if (!text_starts(entry, begin))
		return 1;
	entry = text_skip(entry, begin.size);
	text_split(&entry, ',', &digits);
	if (!entry.data || (digits.size > 1 && digits.data[0] == '0'))
		return 1;
	return text_parse_u64(digits, INT64_MAX, seq);
}

bool report_entry_has_seq(struct text entry, uint64_t seq)
{
	uint64_t own;
	return report_entry_seq(entry, &own) == 0 && own == seq;
}
