/* croft completion: what bash and zsh need to complete commands and options, written from the table
 * of commands. */
#include "commands.h"

#include <ctype.h>
#include <stdio.h>

/* The long options that a command's help names. */
static void print_options(const struct command *command)
{
	for (const char *at = strstr(command->help, "--"); at; at = strstr(at + 2, "--")) {
		int size = 2;
		while (isalpha((unsigned char)at[size]) || at[size] == '-')
			size++;
		if (size > 2)
			printf("%.*s ", size, at);
	}
}

/* The words before the first space in each alternative of "ls | create NAME | …". */
static void print_verbs(const struct command *command)
{
	struct text rest = text_of(command->arguments), alternative, verb;
	if (!text_has(rest, '|'))
		return;
	while (rest.size > 0) {
		text_split(&rest, '|', &alternative);
		alternative = text_trim(alternative);
		text_split(&alternative, ' ', &verb);
		if (verb.size && islower((unsigned char)verb.data[0]))
			printf("%.*s ", (int)verb.size, verb.data);
	}
}

static void print_words(const struct command *command)
{
	print_verbs(command);
	print_options(command);
	fputs("--help", stdout);
}

static void print_first_words(void)
{
	fputs("--url --workspace --project --ca --json --quiet --version --help", stdout);
	for (size_t i = 0; i < n_commands; i++)
		printf(" %s", commands[i]->name);
}

/* A function that finds the command among the words typed so far, and offers what may follow. */
struct shell {
	const char *name;
	const char *begin;           /* up to the loop's end */
	const char *offer, *offered; /* around the words of a case */
	const char *end;
};

#define SKIP_OPTIONS                                                                               \
	"      -u|-w|-p|-c|--url|--workspace|--project|--ca) ((i++)) ;;\n"                         \
	"      -*) ;;\n"

static const struct shell shells[] = {
    {"bash",
     "_croft() {\n"
     "  local word=${COMP_WORDS[COMP_CWORD]} command= i\n"
     "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
     "    case ${COMP_WORDS[i]} in\n" SKIP_OPTIONS "      *) command=${COMP_WORDS[i]}; break ;;\n"
     "    esac\n"
     "  done\n",
     "COMPREPLY=($(compgen -W '", "' -- \"$word\"))",
     "  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
     "}\n"
     "complete -F _croft croft\n"},
    /* Either the shell has found this file and calls it for the words at hand, or it is sourced. */
    {"zsh",
     "#compdef croft\n"
     "_croft() {\n"
     "  local command= i\n"
     "  for ((i = 2; i < CURRENT; i++)); do\n"
     "    case $words[i] in\n" SKIP_OPTIONS "      *) command=$words[i]; break ;;\n"
     "    esac\n"
     "  done\n",
     "compadd -- ", "",
     "  _files\n"
     "}\n"
     "if [ \"$funcstack[1]\" = _croft ]; then _croft \"$@\"; else compdef _croft croft; fi\n"},
};

static void print_shell(const struct shell *shell)
{
	printf("%s  case $command in\n    '') %s", shell->begin, shell->offer);
	print_first_words();
	printf("%s ;;\n", shell->offered);
	for (size_t i = 0; i < n_commands; i++) {
		printf("    %s) %s", commands[i]->name, shell->offer);
		print_words(commands[i]);
		printf("%s ;;\n", shell->offered);
	}
	printf("  esac\n%s", shell->end);
}

static int run_completion(struct cli *cli ATTR_UNUSED, int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(shells); i++) {
		if (strcmp(argv[1], shells[i].name) == 0) {
			print_shell(&shells[i]);
			return EXIT_OK;
		}
	}
	return command_usage(&cmd_completion);
}

const struct command cmd_completion = {
    .name = "completion",
    .arguments = "bash | zsh",
    .summary = "Print the shell's completion: `source <(croft completion bash)`",
    .help = "",
    .run = run_completion,
};
