/* A disk for tests: a call fails when it is its turn. Never part of a role. */
#pragma once

#include "port/log/disk.h"

enum disk_call { DISK_WRITE, DISK_SYNC, DISK_ALLOCATE, DISK_AVAILABLE, DISK_CALLS };

struct disk_fault {
	unsigned after; /* calls that still succeed */
	unsigned times; /* calls that fail then; 0: none */
	int error;      /* errno */
	size_t partial; /* of a write: bytes that reach the file before it fails, or, with error 0,
			   a short write */
};

struct disk_faulty {
	struct disk disk;
	struct disk_fault faults[DISK_CALLS];
	unsigned calls[DISK_CALLS];
};

void disk_faulty_init(struct disk_faulty *faulty);
