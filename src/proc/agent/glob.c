#include "glob.h"

/* A set of positions in the pattern at which the rest could go on: a simulated automaton, so no
 * pattern makes it back up. */
struct places {
	uint8_t at[GLOB_LIMIT + 1]; /* enum place_flags */
};

enum place_flags {
	PLACE_HELD = 1, /* the rest could go on here */
	PLACE_FRESH =
	    2, /* and a "**" here has taken nothing yet, so that its slash may be left out */
};

static bool is_double_star(struct text pattern, size_t at)
{
	return at + 1 < pattern.size && pattern.data[at] == '*' && pattern.data[at + 1] == '*';
}

/* Adds a place and those reached from it without a character: stars may stand for nothing, and a
 * fresh "**" together with its slash. Each place is gone through once with each set of flags. */
static void add_place(struct text pattern, struct places *places, size_t at, uint8_t flags)
{
	while ((places->at[at] & flags) != flags) {
		places->at[at] |= flags;
		if (at == pattern.size || pattern.data[at] != '*')
			return;
		bool is_double = is_double_star(pattern, at);
		size_t after = at + (is_double ? 2 : 1);
		bool skips = is_double && (flags & PLACE_FRESH) && after < pattern.size &&
			     pattern.data[after] == '/';
		if (skips) {
			places->at[after] |= PLACE_HELD;
			after++;
		}
		at = after;
	}
}

/* The end of the class that begins at `at`, or `at` if it is not closed and the bracket stands for
 * itself. */
static size_t class_end(struct text pattern, size_t at)
{
	size_t i = at + 1;
	if (i < pattern.size && pattern.data[i] == '!')
		i++;
	for (i++; i < pattern.size; i++) {
		if (pattern.data[i] == ']')
			return i;
	}
	return at;
}

static bool class_has(struct text pattern, size_t at, size_t end, unsigned char c)
{
	bool negated = pattern.data[at + 1] == '!', found = false;
	for (size_t i = at + 1 + negated; i < end; i++) {
		unsigned char low = (unsigned char)pattern.data[i], high = low;
		if (i + 2 < end && pattern.data[i + 1] == '-') {
			high = (unsigned char)pattern.data[i + 2];
			i += 2;
		}
		found = found || (low <= c && c <= high);
	}
	return found != negated && c != '/';
}

/* One character from one place. */
static void step(struct text pattern, size_t at, char c, struct places *next)
{
	char p = pattern.data[at];
	size_t end;
	if (p == '*') {
		if (c != '/' || is_double_star(pattern, at))
			add_place(pattern, next, at, PLACE_HELD);
	} else if (p == '?') {
		if (c != '/')
			add_place(pattern, next, at + 1, PLACE_HELD | PLACE_FRESH);
	} else if (p == '[' && (end = class_end(pattern, at)) != at) {
		if (class_has(pattern, at, end, (unsigned char)c))
			add_place(pattern, next, end + 1, PLACE_HELD | PLACE_FRESH);
	} else if (p == '\\' && at + 1 < pattern.size) {
		if (pattern.data[at + 1] == c)
			add_place(pattern, next, at + 2, PLACE_HELD | PLACE_FRESH);
	} else if (p == c) {
		add_place(pattern, next, at + 1, PLACE_HELD | PLACE_FRESH);
	}
}

bool glob_match(struct text pattern, struct text path)
{
	struct places now = {{0}}, next;
	if (pattern.size > GLOB_LIMIT)
		return false;
	add_place(pattern, &now, 0, PLACE_HELD | PLACE_FRESH);
	for (size_t i = 0; i < path.size; i++) {
		memset(&next, 0, sizeof(next));
		for (size_t at = 0; at < pattern.size; at++) {
			if (now.at[at])
				step(pattern, at, path.data[i], &next);
		}
		now = next;
	}
	return now.at[pattern.size];
}
