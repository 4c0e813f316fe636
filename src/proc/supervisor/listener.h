/* The listening socket of the API, opened once and handed to every gateway. */
#pragma once

#include "base/text.h"

/* "HOST:PORT" or "[V6]:PORT". Says on standard error why, when it fails; else the descriptor, and
 * in `shown` the address with the port that it really has. */
int listener_open(struct text address, char *shown, size_t shown_size);

/* The address of a socket that was passed; 0 or negative. */
int listener_show(int fd, char *shown, size_t shown_size);
