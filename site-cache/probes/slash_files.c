/* Is a regular file, or a link to one, refused when its name ends in a slash?  And is an empty name refused?

   Asked by autoconf's AC_FUNC_STAT, AC_FUNC_LSTAT and AC_FUNC_LSTAT_FOLLOWS_SLASHED_SYMLINK and by gnulib's access.m4,
   chmod.m4, fopen.m4, lstat.m4, open-slash.m4, readlink.m4, stat.m4, truncate.m4 and utime.m4; where the answer is wrong, the
   function is replaced.  */

#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

static void
say (const char *variable, int yes)
{
  printf ("%s=%s\n", variable, yes ? "yes" : "no");
}

int
main (void)
{
  struct stat st;
  char target[20];
  const char *volatile no_name = "";
  int fd = creat ("file", 0600);
  int ready = fd >= 0 && write (fd, "text", 4) == 4 && close (fd) == 0 && symlink ("file", "link") == 0
    && symlink ("nowhere", "dangling") == 0 && symlink ("dangling", "second") == 0;
  if (!ready)
    return 1;

  say ("ac_cv_func_lstat_dereferences_slashed_symlink", lstat ("link/", &st) != 0);
  say ("ac_cv_func_lstat_empty_string_bug", lstat (no_name, &st) == 0);
  say ("ac_cv_func_stat_empty_string_bug", stat (no_name, &st) == 0);
  say ("gl_cv_func_access_slash_works", access ("link/", R_OK) != 0);
  errno = 0;
  say ("gl_cv_func_chmod_works", chmod ("file/", 0600) != 0 && errno == ENOTDIR);
  FILE *stream = fopen ("new/", "w");
  say ("gl_cv_func_fopen_slash", stream == NULL);
  say ("gl_cv_func_lstat_dereferences_slashed_symlink", lstat ("link/", &st) != 0);
  say ("gl_cv_func_open_slash", open ("link/", O_RDONLY) < 0 && open ("new/", O_CREAT, 0600) < 0);
  int slash = readlink ("second/", target, sizeof target) < 0;
  say ("gl_cv_func_readlink_trailing_slash", slash);
  say ("gl_cv_func_readlink_works", slash);
  say ("gl_cv_func_readlink_truncate", readlink ("link", target, 1) == 1);
  say ("gl_cv_func_stat_file_slash", stat ("file/", &st) != 0 && stat ("link/", &st) != 0);
  say ("gl_cv_func_truncate_works", truncate ("file/", 2) != 0);
  say ("gl_cv_func_utime_file_slash", utime ("file/", NULL) != 0 && utime ("link/", NULL) != 0);

  unlink ("file");
  unlink ("link");
  unlink ("dangling");
  unlink ("second");
  return 0;
}
