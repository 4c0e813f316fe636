#include "proc/gateway/socket_parts.h"

#include "base/json.h"

void socket_say_message(struct socket *socket, struct buffer *message)
{
	if (buffer_check(message) != 0)
		exchange_socket_close(socket->exchange, SOCKET_CLOSE_INTERNAL);
	else
		exchange_socket_send(socket->exchange, buffer_text(message));
}

struct json socket_begin_message(struct buffer *out, const char *type, struct text id)
{
	struct json json = json_to(out);
	json_object(&json);
	json_key(&json, "type");
	json_cstring(&json, type);
	if (id.size > 0) {
		json_key(&json, "id");
		json_text(&json, id);
	}
	return json;
}

void socket_say(struct socket *socket, const char *type, struct text id)
{
	ATTR_BUFFER struct buffer message = {0};
	struct json json = socket_begin_message(&message, type, id);
	json_object_end(&json);
	socket_say_message(socket, &message);
}

void socket_say_error(struct socket *socket, struct text id, struct problem problem)
{
	ATTR_BUFFER struct buffer message = {0};
	struct json json = socket_begin_message(&message, "error", id);
	json_key(&json, "error");
	problem_write(&json, &problem);
	json_object_end(&json);
	socket_say_message(socket, &message);
}

void socket_say_refusal(struct socket *socket, struct text id,
			const struct gateway_control_answer *answer)
{
	ATTR_BUFFER struct buffer message = {0};
	struct json json = socket_begin_message(&message, "error", id);
	json_key(&json, "error");
	json_raw(&json, bytes_text(answer->body));
	json_object_end(&json);
	socket_say_message(socket, &message);
}
void socket_write_problem(struct json *json, const struct problem *problem, struct text oldest)
{
	json_key(json, "error");
	problem_begin(json, problem);
	if (oldest.size > 0) {
		json_key(json, "oldestCursor");
		json_text(json, oldest);
		json_key(json, "archiveUrl");
		json_null(json);
	}
	json_object_end(json);
}

struct gateway_control_request socket_request(const struct socket *socket, enum api_call call)
{
	const struct gateway_control_request *opened = &socket->exchange->request.message;
	return (struct gateway_control_request){
	    .call = (uint16_t)call,
	    .credential_kind = opened->credential_kind,
	    .credential = opened->credential,
	    .target = opened->target,
	    .request_id = opened->request_id,
	    .address = opened->address,
	    .user_agent = opened->user_agent,
	    .connected = true,
	};
}
