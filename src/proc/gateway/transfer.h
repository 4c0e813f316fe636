/* Bytes between a client and a pipe whose other end the agent holds: files and archives, in
 * constant memory. An upload stops the client while the pipe is full; a download stops reading
 * while the client is slow. The owner talks to the client; here is the pipe. */
#pragma once

#include "base/buffer.h"
#include "loop/loop.h"

enum {
	TRANSFER_STEP = 64 << 10,     /* bytes read at once */
	TRANSFER_PIPE_SIZE = 1 << 20, /* of a large transfer, where the kernel's limit allows it */
	TRANSFER_LARGE = 256 << 10,
};

struct upload;

struct upload_events {
	void (*drained)(
	    struct upload *upload); /* all that was given is in the pipe: the client may go on */
	void (*finished)(
	    struct upload *upload); /* after upload_end(): all is in the pipe, and it is closed */
};

struct upload {
	const struct upload_events *events;
	struct loop *loop;
	struct loop_watch watch;
	int fd; /* write end, -1 when closed */
	struct buffer pending;
	uint64_t size; /* given so far */
	bool ended;
	bool refused; /* nobody reads any more; the rest is thrown away, an answer is on its way */
};

/* 0, and the read end for the other side in `read_end`; -errno. */
int upload_open(struct upload *upload, struct loop *loop, const struct upload_events *events,
		int *read_end) ATTR_MUST_CHECK;
/* True if it took all and the client may go on at once; else `drained` will tell. No callback runs
 * inside. */
bool upload_write(struct upload *upload, struct bytes bytes);
void upload_end(struct upload *upload);   /* `finished` may run inside */
void upload_close(struct upload *upload); /* harmless when closed */

struct download;

struct download_events {
	void (*data)(struct download *download, struct bytes bytes); /* may pause or close */
	void (*ended)(struct download *download); /* the writer has closed its end */
};

struct download {
	const struct download_events *events;
	struct loop *loop;
	struct loop_watch watch;
	int fd;        /* read end, -1 when closed */
	uint64_t size; /* received so far */
};

/* Reads nothing before download_resume(). */
int download_open(struct download *download, struct loop *loop,
		  const struct download_events *events, int *write_end) ATTR_MUST_CHECK;
void download_resume(struct download *download);
void download_pause(struct download *download);
void download_expect(struct download *download, uint64_t size); /* so much will come: makes room */
void download_close(struct download *download);
