/* The GNU attributes that the code uses, under short names. */
#pragma once

#include <stddef.h>

#define ATTR_CLEANUP(function)   __attribute__((cleanup(function)))
#define ATTR_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define ATTR_MUST_CHECK          __attribute__((warn_unused_result))
#define ATTR_UNUSED              __attribute__((unused))
#define ATTR_NORETURN            __attribute__((noreturn))

/* gcc and clang say in different ways that the address sanitizer is built in. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZED 1
#endif

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The object of type `type` whose member `member` is at `pointer`. */
#define container_of(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))
