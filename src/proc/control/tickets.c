#include "proc/control/tickets.h"

#include "base/error.h"
#include "base/list.h"
#include "base/map.h"

#include <errno.h>
#include <stdlib.h>

/* The table is by hash: a look-up then tells nothing by its time, and a memory dump holds no
 * ticket. */
struct ticket {
	struct map_node node;
	struct list by_age;
	struct digest_value hash;
	bool administrator;
	bool used;
	struct uuid key;
	char *subject;
	char *email;
	char *path;
	uint64_t until_ms;
};

struct tickets {
	struct map by_hash;
	struct list by_age; /* the oldest stands first */
};

static void forget(struct tickets *tickets, struct ticket *ticket)
{
	map_remove(&tickets->by_hash, &ticket->node);
	list_remove(&ticket->by_age);
	free(ticket->subject);
	free(ticket->email);
	free(ticket->path);
	free(ticket);
}

static void forget_old(struct tickets *tickets, uint64_t now_ms)
{
	struct ticket *ticket;
	list_for_each (ticket, &tickets->by_age, by_age)
		if (ticket->until_ms <= now_ms)
			forget(tickets, ticket);
	if (tickets->by_hash.count >= TICKETS_MAX)
		forget(tickets, list_first(&tickets->by_age, struct ticket, by_age));
}

int tickets_issue(struct tickets *tickets, const struct ticket_owner *owner, struct text path,
		  uint64_t now_ms, char text[TOKEN_TEXT_SIZE])
{
	forget_old(tickets, now_ms);
	struct ticket *ticket = calloc(1, sizeof(*ticket));
	if (!ticket)
		return error_origin(-ENOMEM);
	token_new(text);
	ticket->hash = token_hash(text_of(text));
	ticket->administrator = owner->administrator;
	ticket->key = owner->key;
	ticket->subject = text_dup(owner->subject);
	ticket->email = text_dup(owner->email);
	ticket->path = text_dup(path);
	ticket->until_ms = now_ms + TICKET_LIFE_MS;
	list_append(&tickets->by_age, &ticket->by_age);
	int r = map_insert(&tickets->by_hash, &ticket->node, digest_bytes(&ticket->hash));
	if (r == 0 && ticket->subject && ticket->email && ticket->path)
		return 0;
	if (r == 0) {
		forget(tickets, ticket);
	} else {
		list_remove(&ticket->by_age);
		free(ticket->subject);
		free(ticket->email);
		free(ticket->path);
		free(ticket);
	}
	return error_origin(-ENOMEM);
}

int tickets_use(struct tickets *tickets, struct text text, struct text path, bool connected,
		uint64_t now_ms, struct ticket_owner *owner)
{
	struct digest_value hash = token_hash(text);
	struct ticket *ticket =
	    map_object(&tickets->by_hash, digest_bytes(&hash), struct ticket, node);
	if (!ticket || ticket->until_ms <= now_ms || ticket->used != connected)
		return 1;
	if (!connected && !text_equal(path, text_of(ticket->path)))
		return 1;
	if (!ticket->used) {
		ticket->used = true;
		ticket->until_ms = now_ms + TICKET_USED_LIFE_MS;
	}
	*owner = (struct ticket_owner){ticket->administrator, ticket->key, text_of(ticket->subject),
				       text_of(ticket->email)};
	return 0;
}

int tickets_new(struct tickets **out)
{
	struct tickets *tickets = calloc(1, sizeof(*tickets));
	if (!tickets)
		return error_origin(-ENOMEM);
	list_init(&tickets->by_age);
	*out = tickets;
	return 0;
}

void tickets_free(struct tickets *tickets)
{
	if (!tickets)
		return;
	while (!list_is_empty(&tickets->by_age))
		forget(tickets, list_first(&tickets->by_age, struct ticket, by_age));
	map_free(&tickets->by_hash);
	free(tickets);
}
