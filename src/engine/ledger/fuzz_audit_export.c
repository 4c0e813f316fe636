/* An export of JSON lines. */
#include "engine/ledger/verify.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct checkpoint_key key;
	struct verify_report report;
	if (checkpoint_key_parse(
		TEXT("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"), &key) !=
	    0)
		abort();
	if (verify_export((struct text){(const char *)data, size}, &key, (struct text){0},
			  &report) == 0 &&
	    report.outcome == VERIFY_SOUND)
		abort(); /* nobody here can sign */
	return 0;
}
