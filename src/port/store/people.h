/* Users, their memberships, and API keys in the store. A user is known by OIDC subject, by e-mail
 * until the first sign-in that proves it, or by both. */
#pragma once

#include "port/store/store.h"
#include "tenant/role.h"

struct store_member {
	struct uuid user;
	struct uuid workspace;
	struct text subject; /* empty until known */
	struct text email;   /* empty if never named */
	enum tenant_role role;
	int64_t created_ms;
};

enum { STORE_KEY_PROJECTS_MAX = 100, STORE_KEY_HASH_SIZE = 32 };

struct store_key {
	struct uuid id;
	struct uuid workspace;
	struct text name;
	enum tenant_role role;
	uint8_t hash[STORE_KEY_HASH_SIZE]; /* SHA-256 of the whole key */
	const struct uuid *projects; /* that it is restricted to; none: all of the workspace */
	size_t n_projects;
	struct text created_by; /* id of a user or key, or "admin" */
	int64_t created_ms;
	int64_t expires_ms; /* 0: never */
	int64_t revoked_ms; /* 0: valid */
};

struct store_people {
	/* STORE_NOT_FOUND; else the user's id. */
	int (*user_by_subject)(struct store *store, struct text subject, struct uuid *user);
	int (*user_by_email)(struct store *store, struct text email, struct uuid *user);
	/* Who has never signed in. */
	int (*user_invited)(struct store *store, struct text email, struct uuid *user);
	/* The first sign-in of a user who was invited by e-mail. CONFLICT if another subject was
	 * first. */
	void (*user_bind)(struct store *store, struct uuid user, struct text subject,
			  struct store_write *write);

	/* Makes the user of that subject or e-mail if there is none; `row->user` is the id for a
	 * new one. EXISTS if the user is a member already. */
	void (*member_insert)(struct store *store, const struct store_member *row,
			      const struct store_replay *replay, struct store_write *write);
	int (*member_get)(struct store *store, struct uuid workspace, struct uuid user,
			  struct arena *arena, struct store_member *row);
	int (*member_list)(struct store *store, struct uuid workspace, struct uuid after,
			   size_t limit, struct arena *arena, struct store_member **rows,
			   size_t *count);
	/* CONFLICT if it would leave a workspace that has an owner without one. */
	void (*member_update)(struct store *store, struct uuid workspace, struct uuid user,
			      enum tenant_role role, struct store_write *write);
	void (*member_remove)(struct store *store, struct uuid workspace, struct uuid user,
			      struct store_write *write);

	void (*key_insert)(struct store *store, const struct store_key *row,
			   const struct store_replay *replay, struct store_write *write);
	int (*key_get)(struct store *store, struct uuid id, struct arena *arena,
		       struct store_key *row);
	int (*key_list)(struct store *store, struct uuid workspace, struct uuid after, size_t limit,
			struct arena *arena, struct store_key **rows, size_t *count);
	/* NOT_FOUND if the workspace has no such key that is valid. */
	void (*key_revoke)(struct store *store, struct uuid workspace, struct uuid id,
			   int64_t now_ms, struct store_write *write);
};
