/* How verify.c and verify_export.c fill a report alike. */
#pragma once

#include "engine/ledger/verify.h"

void report_set(struct verify_report *report, enum verify_outcome outcome, const char *format, ...)
    ATTR_PRINTF(3, 4);
void report_at(struct verify_report *report, uint64_t position);

/* 0, or 1 with the report set. */
int report_open_checkpoint(struct verify_report *report, struct text note,
			   const struct checkpoint_key *key, struct checkpoint *checkpoint);

/* Entries begin with {"seq":N, so that order is part of what is hashed. */
int report_entry_seq(struct text entry, uint64_t *seq); /* 1 if it does not begin so */
bool report_entry_has_seq(struct text entry, uint64_t seq);
