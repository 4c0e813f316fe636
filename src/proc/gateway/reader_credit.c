#include "proc/gateway/reader_credit.h"

void reader_credit_init(struct reader_credit *credit)
{
	*credit = (struct reader_credit){.window = READER_WINDOW_FIRST};
}

void reader_credit_use(struct reader_credit *credit, uint64_t cost)
{
	credit->used += cost;
	credit->granted -= cost < credit->granted ? cost : credit->granted;
}

uint32_t reader_credit_due(struct reader_credit *credit, size_t backlog, bool tight)
{
	if (!tight && backlog == 0 && credit->used >= credit->window &&
	    credit->window < READER_WINDOW_LIMIT) {
		credit->window *= 2;
		credit->used = 0;
	}
	uint64_t window = tight ? READER_WINDOW_TIGHT : credit->window;
	uint64_t under_way = credit->granted + backlog;
	if (under_way > window / 2)
		return 0;
	uint32_t due = (uint32_t)(window - under_way);
	credit->granted += due;
	return due;
}
