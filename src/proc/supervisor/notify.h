/* What systemd is told (sd_notify(3)) and gives (sd_listen_fds(3)). Both do nothing outside
 * systemd. */
#pragma once

void notify_systemd(const char *state); /* "READY=1", "STOPPING=1", "STATUS=…" */
int notify_listener(void);              /* the first socket that was passed, or -1 */
