/* Does chown leave alone an owner and a group of -1, follow links as it should, mind a slash at the end of a name, and
   set the time of the change?  Does fchownat refuse an empty name, and does it change a dangling link itself when told so?

   Asked by autoconf's AC_FUNC_CHOWN and by gnulib's chown.m4, lchown.m4 and fchownat.m4; where the answer is no, the
   functions are replaced.  */

#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

int
main (void)
{
  struct stat before, after;
  close (creat ("file", 0600));
  int both = symlink ("file", "link") == 0 && symlink ("nowhere", "dangling") == 0;

  int works = stat ("file", &before) == 0 && chown ("file", (uid_t) -1, (gid_t) -1) == 0 && stat ("file", &after) == 0;
  say ("ac_cv_func_chown_works", works && before.st_uid == after.st_uid && before.st_gid == after.st_gid);

  say ("gl_cv_func_chown_slash_works", both && chown ("link/", getuid (), getgid ()) != 0);

  errno = 0;
  int follows = chown ("dangling", getuid (), getgid ()) != 0 && errno == ENOENT;
  say ("gl_cv_func_chown_follows_symlink", both && follows);

  sleep (1);
  works = chown ("file", before.st_uid, before.st_gid) == 0 && stat ("file", &after) == 0;
  say ("gl_cv_func_chown_ctime_works", works && after.st_ctime > before.st_ctime);

  errno = 0;
  works = fchownat (AT_FDCWD, "dangling", (uid_t) -1, getgid (), AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
  say ("gl_cv_func_fchownat_nofollow_works", both && works);

  int directory = open (".", O_RDONLY);
  say ("gl_cv_func_fchownat_empty_filename_works", fchownat (directory, "", (uid_t) -1, (gid_t) -1, 0) != 0);

  unlink ("file");
  unlink ("link");
  unlink ("dangling");
  return 0;
}
