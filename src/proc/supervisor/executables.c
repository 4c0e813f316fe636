#include "executables.h"

#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* Installed: FOLDER/croft-ROLE. Build folder: FOLDER/ROLE/croft-ROLE. */
int executables_path(const char *folder, enum role_kind kind, char *path, size_t size)
{
	static const char *const layouts[] = {"%s/croft-%s", "%s/%s/croft-%s"};
	const char *name = role_names[kind];
	snprintf(path, size, layouts[0], folder, name);
	if (access(path, X_OK) == 0)
		return 0;
	snprintf(path, size, layouts[1], folder, name, name);
	return access(path, X_OK) == 0 ? 0 : error_origin(-ENOENT);
}

int executables_find(char *folder, size_t size)
{
	/* The second lets a whole installation be moved, or be tried before it is at its place. */
	static const char *const beside[] = {"src/proc", "../libexec/croft"};
	char self[PATH_MAX], probe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return error_origin(-errno);
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		snprintf(folder, size, "%s/%s", self, beside[i]);
		if (executables_path(folder, ROLE_CONTROL, probe, sizeof(probe)) == 0)
			return 0;
	}
	snprintf(folder, size, "%s", CROFT_LIBEXEC);
	return executables_path(folder, ROLE_CONTROL, probe, sizeof(probe));
}
