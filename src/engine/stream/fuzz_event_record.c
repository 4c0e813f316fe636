/* What lies in the log may be damaged in ways that a checksum misses: a record is refused, or it
 * encodes to the same bytes again. */
#include "engine/stream/event_record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena ATTR_ARENA = {0};
	struct buffer again ATTR_BUFFER = {0};
	struct event_record record;
	if (event_record_decode((struct bytes){data, size}, &arena, &record) < 0)
		return 0;
	struct order order = event_record_order(&record);
	if (order.stage >= ORDER_STAGES || order.stage == ORDER_NOTHING)
		abort();
	if (event_record_encode(&record, &again) < 0 || again.size != size ||
	    memcmp(again.data, data, size) != 0)
		abort();
	return 0;
}
