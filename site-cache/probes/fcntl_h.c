/* Does open obey O_NOFOLLOW, O_DIRECTORY and O_NOATIME?  And is // the same directory as /?

   Asked by gnulib's fcntl-o.m4, which names the flags that do not work, and by double-slash-root.m4.  */

#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Musl's O_SEARCH is O_PATH, as the macro has it where there is one.  */
#ifndef O_SEARCH
#define O_SEARCH O_RDONLY
#endif

static int
ignores_nofollow (void)
{
  int followed = 0;
  if (symlink ("/dev/null", "link") == 0)
    followed |= open ("link", O_WRONLY | O_NOFOLLOW | O_CREAT, 0) >= 0;
  unlink ("link");
  if (symlink (".", "link") == 0)
    followed |= open ("link", O_RDONLY | O_NOFOLLOW) >= 0;
  unlink ("link");
  return followed;
}

static int
ignores_directory (void)
{
  errno = 0;
  return !(open ("file", O_SEARCH | O_DIRECTORY) < 0 && errno == ENOTDIR);
}

static int
ignores_noatime (void)
{
  struct stat before, after;
  struct timespec long_ago[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
  char c;
  /* An access long ago is renewed by the next one, also where accesses are noted once a day.  */
  utimensat (AT_FDCWD, "file", long_ago, 0);
  int fd = open ("file", O_RDONLY | O_NOATIME);
  if (fd < 0 || fstat (fd, &before) != 0 || read (fd, &c, 1) != 1 || close (fd) != 0 || stat ("file", &after) != 0)
    return 1;
  return before.st_atime != after.st_atime;
}

int
main (void)
{
  struct stat one, two;
  int fd = creat ("file", 0600);
  if (fd < 0 || write (fd, "text", 4) != 4 || close (fd) != 0)
    return 1;
  static const char *const faults[] =
    {
      "yes", "no (bad O_NOFOLLOW)", "no (bad O_DIRECTORY)", "no (bad O_NOFOLLOW, O_DIRECTORY)", "no (bad O_NOATIME)",
      "no (bad O_NOFOLLOW, O_NOATIME)", "no (bad O_DIRECTORY, O_NOATIME)", "no (bad O_NOFOLLOW, O_DIRECTORY, O_NOATIME)"
    };
  printf ("gl_cv_header_working_fcntl_h=%s\n", faults[ignores_nofollow () + 2 * ignores_directory () + 4 * ignores_noatime ()]);
  int same = stat ("/", &one) == 0 && stat ("//", &two) == 0 && one.st_ino == two.st_ino && one.st_dev == two.st_dev
    && access ("//dev/null", F_OK) == 0;
  printf ("gl_cv_double_slash_root=%s\n", same ? "no" : "yes");
  unlink ("file");
  return 0;
}
