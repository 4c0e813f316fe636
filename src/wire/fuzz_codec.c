/* Foreign bytes as the body of every message of every protocol: decoding must refuse or give a
 * value that encodes again. */
#include "proto/control_worker.h"
#include "proto/roles.h"
#include "proto/supervisor_role.h"
#include "proto/worker_agent.h"

#include <stdlib.h>

static const struct protocol *pick(uint8_t number)
{
	size_t index = number % (n_role_edges + 2);
	if (index < n_role_edges)
		return role_edges[index].protocol;
	return index == n_role_edges ? &worker_agent_protocol : &supervisor_role_protocol;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const struct protocol *protocol = pick(data[0]);
	const struct wire_struct *type = protocol->messages[data[1] % protocol->n_messages];
	if (!type)
		return 0;
	struct arena arena ATTR_ARENA = {0};
	struct buffer again ATTR_BUFFER = {0};
	struct bytes body = {data + 2, size - 2};
	void *message = arena_alloc(&arena, type->size);
	if (wire_decode(type, body, &arena, message) < 0)
		return 0;
	if (wire_encode(type, message, &again) < 0 ||
	    !text_equal(bytes_text(buffer_bytes(&again)), bytes_text(body)))
		abort(); /* one value has one encoding */
	return 0;
}
