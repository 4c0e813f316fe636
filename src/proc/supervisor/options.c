#include "options.h"

#include "base/descriptor.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPTION_HELP_CONFIG = 256, OPTION_CHECK, CONFIG_FILE_LIMIT = 1 << 20 };

static const char usage[] =
    "Usage: croftd --data DIR [--listen HOST:PORT] [--config FILE] [--roles LIST]\n"
    "       croftd --check [--config FILE]\n"
    "\n"
    "Runs Croft: an API over HTTP for isolated projects, their files and commands.\n"
    "\n"
    "  -d, --data DIR          where everything is kept; made when it is missing\n"
    "  -l, --listen HOST:PORT  address of the API (default 127.0.0.1:7480)\n"
    "  -c, --config FILE       settings, one `name = value` a line\n"
    "  -r, --roles LIST        roles to run, separated by commas (default: all)\n"
    "      --check             say whether the settings are good, and start nothing\n"
    "      --help-config       print a configuration file with every setting and its default\n"
    "  -V, --version           print the version\n"
    "  -h, --help              print this\n"
    "\n"
    "The first start makes the administrator's key in DIR/admin.key.\n";

static const struct option long_options[] = {
    {"data", required_argument, NULL, 'd'},
    {"listen", required_argument, NULL, 'l'},
    {"config", required_argument, NULL, 'c'},
    {"roles", required_argument, NULL, 'r'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {"help-config", no_argument, NULL, OPTION_HELP_CONFIG},
    {"check", no_argument, NULL, OPTION_CHECK},
    {0},
};

/* A setting that means nothing without another one. */
static const struct {
	const char *name, *needs;
} pairs[] = {
    {"tls.certificate", "tls.key"},
    {"tls.key", "tls.certificate"},
    {"oidc.keys_file", "oidc.issuer"},
    {"oidc.keys_url", "oidc.issuer"},
};

static int wrong(const struct options *options, const char *format, ...) ATTR_PRINTF(2, 3);

static int wrong(const struct options *options, const char *format, ...)
{
	va_list args;
	fputs("croftd: ", stderr);
	if (options->file)
		fprintf(stderr, "%s:%u: ", options->file, options->line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return OPTIONS_WRONG;
}

/* How a value is written and what it may be, as "a number, 1 to 16". */
static const char *describe(const struct setting *setting, char out[256])
{
	char least[SETTING_SHOWN_SIZE], most[SETTING_SHOWN_SIZE];
	const char *form = setting_forms[setting->type];
	if (!setting_has_range(setting))
		return form;
	setting_show(setting, setting->least, least);
	setting_show(setting, setting->most, most);
	snprintf(out, 256, "%s, %s to %s", form, least, most);
	return out;
}

/* Every line is a comment, so that what the operator leaves alone follows the defaults of the
 * croftd that runs. */
static void print_settings(void)
{
	char form[256];
	for (size_t i = 0; i < n_settings; i++)
		if (settings[i].type != SETTING_MADE)
			printf("# %s (%s)\n#%s = %s\n\n", settings[i].help,
			       describe(&settings[i], form), settings[i].name,
			       settings[i].fallback);
}

static int set_from_file(struct options *options, size_t index, struct text path)
{
	char *name ATTR_CLEANUP(text_free) = text_dup(path);
	options->values[index].limit = CONFIG_FILE_LIMIT;
	int r = name ? file_read(AT_FDCWD, name, &options->values[index]) : -ENOMEM;
	if (r < 0)
		return wrong(options, "%s: cannot read %s: %s", settings[index].name, name,
			     strerror(-r));
	options->is_set[index] = true;
	return OPTIONS_RUN;
}

static int set_value(struct options *options, struct text name, struct text value)
{
	const struct setting *setting = setting_find(name);
	uint64_t number;
	char form[256];
	if (!setting || setting->type == SETTING_MADE)
		return wrong(options,
			     "there is no setting \"%.*s\"; croftd --help-config lists them",
			     (int)name.size, name.data);
	size_t index = (size_t)(setting - settings);
	buffer_clear(&options->values[index]);
	if (setting->type == SETTING_FILE)
		return value.size ? set_from_file(options, index, value) : OPTIONS_RUN;
	if (setting->type != SETTING_TEXT && setting_parse(setting, value, &number))
		return wrong(options, "%s: \"%.*s\" is not %s", setting->name, (int)value.size,
			     value.data, describe(setting, form));
	buffer_append_text(&options->values[index], value);
	options->is_set[index] = true;
	return OPTIONS_RUN;
}

static int take_line(struct options *options, struct text line)
{
	struct text name, value = text_trim(line);
	if (value.size == 0 || value.data[0] == '#')
		return OPTIONS_RUN;
	text_split(&value, '=', &name);
	if (!value.data)
		return wrong(options, "a line is `name = value`");
	return set_value(options, text_trim(name), text_trim(value));
}

static int read_config(struct options *options, const char *path)
{
	struct buffer content ATTR_BUFFER = {.limit = CONFIG_FILE_LIMIT};
	int r = file_read(AT_FDCWD, path, &content);
	if (r < 0)
		return wrong(options, "cannot read %s: %s", path, strerror(-r));
	struct text rest = buffer_text(&content), line;
	options->file = path;
	options->line = 0;
	for (r = OPTIONS_RUN; r == OPTIONS_RUN && rest.size > 0;) {
		options->line++;
		text_split(&rest, '\n', &line);
		r = take_line(options, line);
	}
	options->file = NULL;
	return r;
}

static int parse_roles(struct options *options, struct text list)
{
	struct text name;
	enum role_kind kind;
	options->roles = 0;
	while (list.size > 0) {
		text_split(&list, ',', &name);
		if (role_parse(name, &kind) || kind == ROLE_SUPERVISOR)
			return wrong(options, "there is no role \"%.*s\"", (int)name.size,
				     name.data);
		options->roles |= ROLE_BIT(kind);
	}
	return options->roles ? OPTIONS_RUN : wrong(options, "--roles names none");
}

static int take_option(struct options *options, int option, const char *argument)
{
	switch (option) {
	case 'd':
		options->data = argument;
		return OPTIONS_RUN;
	case 'l':
		options->listen = argument;
		return OPTIONS_RUN;
	case 'c':
		return read_config(options, argument);
	case 'r':
		return parse_roles(options, text_of(argument));
	case 'V':
		puts("croftd " CROFT_VERSION);
		return OPTIONS_DONE;
	case 'h':
		fputs(usage, stdout);
		return OPTIONS_DONE;
	case OPTION_CHECK:
		options->check_only = true;
		return OPTIONS_RUN;
	case OPTION_HELP_CONFIG:
		print_settings();
		return OPTIONS_DONE;
	default:
		fputs("Try `croftd --help`.\n", stderr);
		return OPTIONS_WRONG;
	}
}

/* A role that nothing configured needs is not started. */
static void leave_out_idle_roles(struct options *options)
{
	if (options_value(options, "oidc.keys_url").size == 0)
		options->roles &= ~ROLE_BIT(ROLE_ISSUER);
}

static int check(struct options *options)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (options_value(options, pairs[i].name).size > 0 &&
		    options_value(options, pairs[i].needs).size == 0)
			return wrong(options, "%s needs %s", pairs[i].name, pairs[i].needs);
	if (options->check_only) {
		puts("croftd: the settings are good");
		return OPTIONS_DONE;
	}
	if (!options->data)
		return wrong(options,
			     "--data DIR says where to keep everything; try `croftd --help`");
	return OPTIONS_RUN;
}

int options_read(struct options *options, int argc, char **argv)
{
	int option, r = OPTIONS_RUN;
	*options = (struct options){.roles = ROLE_BIT(ROLE_KINDS) - 1 - ROLE_BIT(ROLE_SUPERVISOR)};
	if (n_settings > SETTINGS_MAX)
		abort();
	while (r == OPTIONS_RUN &&
	       (option = getopt_long(argc, argv, "d:l:c:r:Vh", long_options, NULL)) != -1)
		r = take_option(options, option, optarg);
	if (r == OPTIONS_RUN && optind < argc)
		r = wrong(options, "\"%s\" is not an option", argv[optind]);
	if (r == OPTIONS_RUN && options->listen)
		r = set_value(options, TEXT("listen"), text_of(options->listen));
	if (r == OPTIONS_RUN)
		r = check(options);
	if (r == OPTIONS_RUN)
		leave_out_idle_roles(options);
	return r;
}

void options_free(struct options *options)
{
	for (size_t i = 0; i < n_settings; i++)
		buffer_free(&options->values[i]);
}

struct text options_value(const struct options *options, const char *name)
{
	const struct setting *setting = setting_find(text_of(name));
	if (!setting)
		abort();
	size_t index = (size_t)(setting - settings);
	return options->is_set[index] ? buffer_text(&options->values[index])
				      : text_of(setting->fallback);
}

uint64_t options_number(const struct options *options, const char *name)
{
	uint64_t number;
	if (setting_parse(setting_find(text_of(name)), options_value(options, name), &number))
		abort();
	return number;
}
