/* Events as clients see them (API.md, "Events"): the JSON object, and the frame of server-sent
 * events around it. An event is written once per delivery, for all readers that stand at the same
 * place. */
#pragma once

#include "base/json.h"
#include "proto/event.h"

void event_text_json(struct buffer *out, const struct event_delivered *event);

/* "id: …\nevent: …\ndata: …\n\n" */
void event_text_sse(struct buffer *out, const struct event_delivered *event);
