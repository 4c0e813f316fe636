/* The terminal that croft runs on: raw mode for `croft run -t`, its size. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

bool terminal_size(uint16_t *cols, uint16_t *rows);

/* Keys go through unread until terminal_restore(), which also runs at exit. */
int terminal_make_raw(void);
void terminal_restore(void);
