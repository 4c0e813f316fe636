#include "resource.h"

#include <stdio.h>

int resource_list(struct cli *cli, const struct resource *resource, const char *path)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct cli_call call = {.method = "GET", .path = text_of(path)};
	int status = cli_request(cli, &call, &document);
	if (status == 0)
		output_list(cli, document, resource->columns, resource->n_columns);
	return status;
}

int resource_show(struct cli *cli, const struct resource *resource, const char *path)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct cli_call call = {.method = "GET", .path = text_of(path)};
	int status = cli_request(cli, &call, &document);
	if (status == 0)
		output_object(cli, document, resource->columns, resource->n_columns);
	return status;
}

int resource_create(struct cli *cli, const char *path, struct text body, const char *secret_member)
{
	char key[40];
	struct document *document ATTR_DOCUMENT = NULL;
	cli_new_key(key);
	struct cli_call call = {.method = "POST",
				.path = text_of(path),
				.has_body = true,
				.body = body,
				.idempotency_key = key};
	int status = cli_request(cli, &call, &document);
	if (status)
		return status;
	if (cli->json) {
		output_json(document_root(document));
		return 0;
	}
	struct text id = cli_member(document_root(document), "id");
	printf("%.*s\n", (int)id.size, id.data);
	if (secret_member) {
		struct text secret = cli_member(document_root(document), secret_member);
		printf("%.*s\n", (int)secret.size, secret.data);
	}
	return 0;
}

int resource_delete(struct cli *cli, const struct resource *resource, const char *path)
{
	struct document *document ATTR_DOCUMENT = NULL;
	struct cli_call call = {.method = "DELETE", .path = text_of(path)};
	int status = cli_request(cli, &call, &document);
	if (status == 0 && !cli->quiet)
		fprintf(stderr, "The %s is deleted.\n", resource->singular);
	return status;
}
