#include "configuration.h"

#include "base/descriptor.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { CONFIGURATION_LIMIT = 64 << 10 };

struct member {
	const char *name;
	size_t offset;
};

static const struct member members[] = {
    {"url", offsetof(struct configuration, url)},
    {"key", offsetof(struct configuration, key)},
    {"ca", offsetof(struct configuration, ca)},
    {"workspace", offsetof(struct configuration, workspace)},
    {"project", offsetof(struct configuration, project)},
};

static char **slot(const struct configuration *configuration, const struct member *member)
{
	return (char **)(void *)((char *)configuration + member->offset);
}

static int folder(char out[PATH_MAX])
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (xdg && *xdg == '/')
		snprintf(out, PATH_MAX, "%s/croft", xdg);
	else if (home)
		snprintf(out, PATH_MAX, "%s/.config/croft", home);
	else
		return 1;
	return 0;
}

void configuration_set(char **member, const char *value)
{
	free(*member);
	*member = value && *value ? text_dup(text_of(value)) : NULL;
}

static int read_members(struct configuration *configuration, struct bytes content, const char *path)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct document_error error;
	if (document_parse(content, CONFIGURATION_LIMIT, &document, &error))
		return cli_say(EXIT_FAILED, "%s: %s", path, error.message);
	if (document_kind(document_root(document)) != DOCUMENT_IS_OBJECT)
		return cli_say(EXIT_FAILED, "%s: not an object", path);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		struct text value = cli_member(document_root(document), members[i].name);
		*slot(configuration, &members[i]) = value.size ? text_dup(value) : NULL;
	}
	return 0;
}

int configuration_load(struct configuration *configuration)
{
	char path[PATH_MAX + 16], base[PATH_MAX];
	struct buffer content ATTR_BUFFER = {.limit = CONFIGURATION_LIMIT};
	if (folder(base))
		return 0;
	snprintf(path, sizeof(path), "%s/config.json", base);
	int r = file_read(AT_FDCWD, path, &content);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return cli_say(EXIT_FAILED, "%s: %s", path, strerror(-r));
	r = read_members(configuration, buffer_bytes(&content), path);
	explicit_bzero(content.data, content.capacity);
	return r;
}

static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		if (!slash)
			return 0;
		*slash = '/';
	}
}

int configuration_save(const struct configuration *configuration)
{
	char base[PATH_MAX], path[PATH_MAX + 16];
	struct buffer out ATTR_BUFFER = {0};
	struct json json = json_to(&out);
	json_object(&json);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *value = *slot(configuration, &members[i]);
		if (!value)
			continue;
		json_key(&json, members[i].name);
		json_cstring(&json, value);
	}
	json_object_end(&json);
	buffer_append_byte(&out, '\n');
	if (folder(base))
		return cli_say(EXIT_FAILED, "neither HOME nor XDG_CONFIG_HOME is set");
	int r = make_folders(base);
	snprintf(path, sizeof(path), "%s/config.json", base);
	if (r == 0)
		r = file_replace(AT_FDCWD, path, buffer_bytes(&out), 0600);
	if (out.data)
		explicit_bzero(out.data, out.capacity);
	return r < 0 ? cli_say(EXIT_FAILED, "%s: %s", path, strerror(-r)) : 0;
}

void configuration_free(struct configuration *configuration)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		char **value = slot(configuration, &members[i]);
		if (*value)
			explicit_bzero(*value, strlen(*value));
		free(*value);
		*value = NULL;
	}
}

static void fill(const char **member, const char *variable, const char *configured)
{
	const char *value = getenv(variable);
	if (!*member)
		*member = value && *value ? value : configured;
}

void configuration_apply(const struct configuration *configuration, struct cli *cli)
{
	fill(&cli->url, "CROFT_URL", configuration->url);
	fill(&cli->key, "CROFT_API_KEY", configuration->key);
	fill(&cli->ca, "CROFT_CA", configuration->ca);
	fill(&cli->workspace, "CROFT_WORKSPACE", configuration->workspace);
	fill(&cli->project, "CROFT_PROJECT", configuration->project);
	if (!cli->url)
		cli->url = "http://127.0.0.1:7480";
}

int configuration_use(const char *workspace, const char *project)
{
	struct configuration configuration = {0};
	int status = configuration_load(&configuration);
	if (status)
		return status;
	if (workspace)
		configuration_set(&configuration.workspace, workspace);
	configuration_set(&configuration.project, project);
	status = configuration_save(&configuration);
	configuration_free(&configuration);
	return status;
}
