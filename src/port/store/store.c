#include "port/store/store.h"

const char *const store_outcome_names[STORE_OUTCOMES] = {
    [STORE_DONE] = "done",           [STORE_NOT_FOUND] = "not found",
    [STORE_EXISTS] = "exists",       [STORE_CONFLICT] = "conflict",
    [STORE_NO_SPACE] = "no space",   [STORE_UNAVAILABLE] = "unavailable",
    [STORE_UNCERTAIN] = "uncertain",
};

void store_write_detach(struct store_write *write)
{
	if (!write->under_way)
		return;
	list_remove(&write->node);
	write->under_way = false;
}
