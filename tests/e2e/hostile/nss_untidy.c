/*
 * A name service module that knows nobody, and with each question leaves a
 * descriptor open which exec does not close. What it opens is UNTIDY_FILE; it
 * leaves a mark there.
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <unistd.h>

static enum nss_status know_nobody(int *errnop) {
  int fd = open(UNTIDY_FILE, O_RDWR | O_APPEND | O_CREAT, 0600);
  if (fd < 0 || write(fd, ".", 1) != 1) return NSS_STATUS_UNAVAIL;
  *errnop = ENOENT;
  return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_untidy_getpwnam_r(const char *name, struct passwd *result,
                                       char *buffer, size_t size, int *errnop) {
  (void)name, (void)result, (void)buffer, (void)size;
  return know_nobody(errnop);
}

enum nss_status _nss_untidy_getgrnam_r(const char *name, struct group *result,
                                       char *buffer, size_t size, int *errnop) {
  (void)name, (void)result, (void)buffer, (void)size;
  return know_nobody(errnop);
}
