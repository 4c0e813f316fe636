/* A log in a folder of its own under /tmp, for the tests of this room. */
#pragma once

#include "engine/ledger/verify.h"
#include "proc/audit/audit_log.h"

struct test_log {
	char folder[32];
	int directory;
	struct audit_log *log;
};

void test_log_set_up(struct test_log *test);
void test_log_tear_down(struct test_log *test);
void test_log_open(struct test_log *test);  /* as after a start of the process */
void test_log_close(struct test_log *test); /* as if it had been killed */

/* Entry number `i` of a test, always the same. */
struct control_audit_append test_log_entry(uint64_t i);
void test_log_append(struct test_log *test, uint64_t first,
		     uint64_t end); /* in commits of up to seven */

void test_log_verify(struct test_log *test, struct text known, struct verify_report *report);
void test_log_run(const char *format, ...)
    ATTR_PRINTF(1, 2); /* a shell command that must succeed */
