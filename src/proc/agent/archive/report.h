/* Between the agent and croft-archive, which packs and unpacks for it inside the same walls: one
 * message a packet over a socket pair. croft-archive is a process of its own because it needs
 * libarchive, which the static agent cannot have, and because a parser of foreign archives that
 * goes wrong shall take nothing but itself.
 *
 *   croft-archive import FOLDER [FORMAT]   standard input: the archive
 *   croft-archive export PATH FORMAT       standard output: the archive
 *
 * Import: UNPACKED when all lies in a staging folder beside its place; the agent, once it knows
 * that the upload was whole, answers with one byte; then DONE. Any other end leaves the folder as
 * it was. Export: DONE. Both: FAILED instead, at any time. */
#pragma once

#include <stdint.h>

enum { ARCHIVE_REPORT_FD = 3, ARCHIVE_MESSAGE_SIZE = 400 };

enum archive_report_kind { ARCHIVE_UNPACKED = 1, ARCHIVE_DONE, ARCHIVE_FAILED };

struct archive_report {
	uint32_t kind;
	int32_t error;    /* FAILED: errno of the file system, or 0: the archive is to blame */
	uint64_t entries; /* files, folders and links */
	uint64_t content_bytes;             /* of the files */
	uint64_t archive_bytes;             /* read to the end of standard input, or written */
	char message[ARCHIVE_MESSAGE_SIZE]; /* FAILED: a sentence for people */
};
