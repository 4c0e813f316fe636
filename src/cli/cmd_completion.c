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

static void print_bash(void)
{
	fputs("_croft() {\n"
	      "  local word=${COMP_WORDS[COMP_CWORD]} command= i\n"
	      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "    case ${COMP_WORDS[i]} in\n"
	      "      -u|-w|-p|-c|--url|--workspace|--project|--ca) ((i++)) ;;\n"
	      "      -*) ;;\n"
	      "      *) command=${COMP_WORDS[i]}; break ;;\n"
	      "    esac\n"
	      "  done\n"
	      "  case $command in\n"
	      "    '') COMPREPLY=($(compgen -W '--url --workspace --project --ca --json --quiet "
	      "--version --help ",
	      stdout);
	for (size_t i = 0; i < n_commands; i++)
		printf("%s ", commands[i]->name);
	fputs("' -- \"$word\")) ;;\n", stdout);
	for (size_t i = 0; i < n_commands; i++) {
		printf("    %s) COMPREPLY=($(compgen -W '", commands[i]->name);
		print_verbs(commands[i]);
		print_options(commands[i]);
		fputs("--help' -- \"$word\")) ;;\n", stdout);
	}
	fputs("  esac\n"
	      "  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
	      "}\n"
	      "complete -F _croft croft\n",
	      stdout);
}

static int run_completion(struct cli *cli ATTR_UNUSED, int argc, char **argv)
{
	bool zsh = argc == 2 && strcmp(argv[1], "zsh") == 0;
	if (argc != 2 || (!zsh && strcmp(argv[1], "bash") != 0))
		return command_usage(&cmd_completion);
	if (zsh)
		fputs("#compdef croft\nautoload -U +X bashcompinit && bashcompinit\n", stdout);
	print_bash();
	return EXIT_OK;
}

const struct command cmd_completion = {
    .name = "completion",
    .arguments = "bash | zsh",
    .summary = "Print the shell's completion: `source <(croft completion bash)`",
    .help = "",
    .run = run_completion,
};
