/* What systemd is told (sd_notify(3), sd_watchdog_enabled(3)) and gives (sd_listen_fds(3)). All do
 * nothing outside systemd. */
#pragma once

#include <stdint.h>

void notify_systemd(const char *state); /* "READY=1", "STOPPING=1", "WATCHDOG=1" */
/* The first socket that was passed, or -1. To be called before anything else takes its number. */
int notify_listener(void);
uint64_t notify_watchdog_ms(void); /* how often to say WATCHDOG=1, or 0 for never */
