#include "entry_name.h"

#include <string.h>

const char *const entry_verdicts[ENTRY_VERDICTS] = {
    [ENTRY_FINE] = "is fine",
    [ENTRY_IS_FOLDER_ITSELF] = "is the folder itself",
    [ENTRY_EMPTY] = "has no name",
    [ENTRY_ABSOLUTE] = "is absolute",
    [ENTRY_DOT_DOT] = "has \"..\" in its name",
    [ENTRY_TOO_LONG] = "has too long a name",
    [ENTRY_NOT_TEXT] = "has control characters, or what is not UTF-8, in its name",
    [ENTRY_LEADS_OUT] = "is a link that leads out of the folder",
};

static bool is_plain_text(struct text text)
{
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
			return false;
	return text_is_utf8(text);
}

static enum entry_verdict check_any(struct text text)
{
	if (text.size == 0)
		return ENTRY_EMPTY;
	if (text.size >= PATH_MAX)
		return ENTRY_TOO_LONG;
	if (!is_plain_text(text))
		return ENTRY_NOT_TEXT;
	return text.data[0] == '/' ? ENTRY_ABSOLUTE : ENTRY_FINE;
}

/* The next component that is neither empty nor "."; false at the end. */
static bool next_component(struct text *rest, struct text *component)
{
	while (rest->size > 0) {
		text_split(rest, '/', component);
		if (component->size > 0 && !text_equal(*component, TEXT(".")))
			return true;
	}
	return false;
}

enum entry_verdict entry_name_check(struct text name, char clean[PATH_MAX])
{
	enum entry_verdict verdict = check_any(name);
	struct text component;
	size_t at = 0;
	int depth = 0;
	if (verdict != ENTRY_FINE)
		return verdict;
	while (next_component(&name, &component)) {
		if (text_equal(component, TEXT("..")))
			return ENTRY_DOT_DOT;
		if (component.size > NAME_MAX || ++depth > ENTRY_DEPTH_MAX)
			return ENTRY_TOO_LONG;
		if (at > 0)
			clean[at++] = '/';
		memcpy(clean + at, component.data, component.size);
		at += component.size;
	}
	clean[at] = '\0';
	return at == 0 ? ENTRY_IS_FOLDER_ITSELF : ENTRY_FINE;
}

static int depth_of(const char *link)
{
	int depth = 0;
	for (; *link; link++)
		depth += *link == '/';
	return depth;
}

enum entry_verdict entry_link_check(const char *link, struct text target)
{
	enum entry_verdict verdict = check_any(target);
	struct text component;
	bool named = false;
	int depth = depth_of(link);
	if (verdict == ENTRY_ABSOLUTE)
		return ENTRY_LEADS_OUT;
	if (verdict != ENTRY_FINE)
		return verdict;
	while (next_component(&target, &component)) {
		bool up = text_equal(component, TEXT(".."));
		if (up && (named || --depth < 0))
			return ENTRY_LEADS_OUT;
		named |= !up;
	}
	return ENTRY_FINE;
}
