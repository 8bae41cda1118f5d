/* Do the functions that set the times of a file set them: to given times, to now, one of both only; and do they refuse times that are
   none, and descriptors that are none?

   Asked by autoconf's AC_FUNC_UTIME_NULL and by gnulib's futimens.m4, utimens.m4, utimensat.m4 and utimes.m4; where the answer is no,
   the function is replaced (utimensat: nearly, where a trailing slash is its one fault).  */

#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

static void
say (const char *variable, const char *value)
{
  printf ("%s=%s\n", variable, value);
}

static const char *
yes_or_no (int yes)
{
  return yes ? "yes" : "no";
}

static int
is_now (time_t t)
{
  time_t now = time (NULL);
  return t >= now - 120 && t <= now + 1;
}

static const struct timespec now_and_omit[2] = { { 1, UTIME_NOW }, { 1, UTIME_OMIT } };
static const struct timespec omit_and_now[2] = { { 1, UTIME_OMIT }, { 1, UTIME_NOW } };
static const struct timespec wrong[2] = { { 1, 1000000000 }, { 1, 0 } };
static const struct timespec long_ago[2] = { { 345183300, 0 }, { 345183300, 0 } };

/* What must come a second before the rest, so that an old status time would show.  */
static int
prepare_futimens (int fd)
{
  errno = 0;
  return futimens (AT_FDCWD, NULL) != 0 && errno == EBADF && futimens (fd, omit_and_now) == 0;
}

static int
futimens_works (int fd)
{
  struct stat st;
  return futimens (fd, now_and_omit) == 0 && fstat (fd, &st) == 0 && st.st_ctime >= st.st_atime && futimens (fd, wrong) != 0;
}

static int
prepare_utimensat (void)
{
  return utimensat (AT_FDCWD, "other", NULL, AT_SYMLINK_NOFOLLOW) == 0 && utimensat (AT_FDCWD, "other", omit_and_now, 0) == 0;
}

static int
utimensat_works (void)
{
  struct stat st;
  return utimensat (AT_FDCWD, "other", now_and_omit, 0) == 0 && stat ("other", &st) == 0 && st.st_ctime >= st.st_atime
    && utimensat (AT_FDCWD, "other", wrong, 0) != 0;
}

static int
utimes_works (void)
{
  const struct timeval given[2] = { { 315620010, 10 }, { 316620000, 999998 } };
  struct stat st;
  int works = utimes ("file", given) == 0 && lstat ("file", &st) == 0 && st.st_atime == given[0].tv_sec
    && st.st_mtime == given[1].tv_sec;
  works &= utimes ("file", NULL) == 0 && stat ("file", &st) == 0 && st.st_atime == st.st_mtime && is_now (st.st_mtime);
  return works & (chmod ("file", 0444) == 0 && utimes ("file", NULL) == 0 && chmod ("file", 0600) == 0);
}

int
main (void)
{
  struct stat st;
  int fd = open ("file", O_RDWR | O_CREAT, 0600);
  if (fd < 0 || close (creat ("other", 0600)) != 0)
    return 1;
  say ("ac_cv_func_utime_null", yes_or_no (utime ("file", NULL) == 0 && stat ("file", &st) == 0 && is_now (st.st_mtime)));
  say ("gl_cv_func_futimesat_works", yes_or_no (futimesat (fd, NULL, NULL) == 0));

  int slash = utimensat (AT_FDCWD, "other/", long_ago, 0) != 0;
  int by_descriptor = prepare_futimens (fd), by_name = prepare_utimensat ();
  sleep (1);
  say ("gl_cv_func_futimens_works", yes_or_no (by_descriptor && futimens_works (fd)));
  say ("gl_cv_func_utimensat_works", by_name && utimensat_works () ? slash ? "yes" : "nearly" : "no");
  say ("gl_cv_func_working_utimes", yes_or_no (utimes_works ()));
  unlink ("file");
  unlink ("other");
  return 0;
}
