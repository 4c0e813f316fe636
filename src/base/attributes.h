/* The GNU attributes that the code uses, under short names. */
#pragma once

#include <stddef.h>

#define ATTR_CLEANUP(function)   __attribute__((cleanup(function)))
#define ATTR_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define ATTR_MUST_CHECK          __attribute__((warn_unused_result))
#define ATTR_UNUSED              __attribute__((unused))
#define ATTR_NORETURN            __attribute__((noreturn))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The object of type `type` whose member `member` is at `pointer`. */
#define container_of(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))
