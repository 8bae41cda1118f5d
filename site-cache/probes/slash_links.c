/* Do link, symlink, unlink and their kin refuse names that end in a slash, and does link make a second name of a symbolic
   link rather than of its target?

   Asked by gnulib's link.m4, link-follow.m4, linkat.m4, symlink.m4, symlinkat.m4, unlink.m4; where the answer is no (for
   gl_cv_func_link_follows_symlink: yes), the function is replaced.  */

#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void
say (const char *variable, int yes)
{
  printf ("%s=%s\n", variable, yes ? "yes" : "no");
}

int
main (void)
{
  struct stat file, hard;
  close (creat ("file", 0600));
  if (symlink ("file", "link") != 0 || symlink ("nowhere", "dangling") != 0 || symlink ("missing", "loose") != 0)
    return 1;

  int linked = link ("link", "hard") == 0 && lstat ("hard", &hard) == 0 && lstat ("file", &file) == 0;
  say ("gl_cv_func_link_follows_symlink", !linked || hard.st_ino == file.st_ino);

  int refused = link ("file", "new/") != 0 && link ("link/", "new") != 0;
  say ("gl_cv_func_link_works", refused && rename ("file", "moved") == 0 && link ("moved", "link") != 0);
  if (rename ("moved", "file") != 0)
    return 1;

  say ("gl_cv_func_linkat_nofollow", linkat (AT_FDCWD, "dangling", AT_FDCWD, "other", 0) == 0);
  say ("gl_cv_func_linkat_slash",
       linkat (AT_FDCWD, "file/", AT_FDCWD, "new", AT_SYMLINK_FOLLOW) != 0
       && linkat (AT_FDCWD, "file", AT_FDCWD, "new/", AT_SYMLINK_FOLLOW) != 0
       && linkat (AT_FDCWD, "file", AT_FDCWD, "dangling/", AT_SYMLINK_FOLLOW) != 0);

  say ("gl_cv_func_symlink_works", symlink ("a", "new/") != 0 && symlink ("a", "loose/") != 0);
  say ("gl_cv_func_symlinkat_works", symlinkat ("a", AT_FDCWD, "new/") != 0 && symlinkat ("a", AT_FDCWD, "loose/") != 0);

  errno = 0;
  refused = unlink ("file/") != 0 && errno == ENOTDIR;
  errno = 0;
  say ("gl_cv_func_unlink_honors_slashes", refused && unlink ("link/") != 0 && errno == ENOTDIR);

  const char *const made[] = { "file", "link", "dangling", "loose", "hard", "other", "new", "moved" };
  for (size_t i = 0; i < sizeof made / sizeof *made; i++)
    unlink (made[i]);
  return 0;
}
