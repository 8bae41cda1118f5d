/* Do mkdir, rmdir, rename, remove, mkfifo and open treat directories, and names that end in a slash, as POSIX says?

   Asked by gnulib's fchdir.m4, mkdir.m4, mkfifo.m4, mkfifoat.m4, remove.m4, rename.m4, renameat.m4, rmdir.m4 and unlink.m4;
   where the answer is no, the function is replaced.  */

#define _GNU_SOURCE 1
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

static void
touch (const char *name)
{
  close (creat (name, 0600));
}

static void
clean (void)
{
  const char *const made[] = { "f", "f1", "f2", "d1", "d2", "d3", "link", "fifo", "dangling" };
  for (size_t i = 0; i < sizeof made / sizeof *made; i++)
    if (unlink (made[i]) != 0)
      rmdir (made[i]);
}

static int
linked_names (void)
{
  touch ("f");
  touch ("f2");
  if (link ("f", "f1") != 0)
    return 0;
  /* Two names of one file: nothing is to happen, or the first name may go.  */
  int works = rename ("f", "f1") == 0 && unlink ("f1") == 0;
  errno = 0;
  works &= rename ("f", "f") == 0 || errno == ENOENT;
  works &= rename ("f1", "f1") != 0;
  return works && rename ("f2", "f2") == 0;
}

int
main (void)
{
  int fd = open (".", O_RDONLY);
  say ("gl_cv_func_open_directory_works", fd >= 0);

  say ("gl_cv_func_mkdir_trailing_slash_works", mkdir ("d1/", 0700) == 0);
  say ("gl_cv_func_mkdir_trailing_dot_works", mkdir ("d2/./", 0700) != 0);
  clean ();

  if (symlink ("fifo", "link") != 0)
    return 1;
  say ("gl_cv_func_mkfifo_works", mkfifo ("f/", 0600) != 0 && mkfifo ("link/", 0600) != 0);
  say ("gl_cv_func_mkfifoat_works", mkfifoat (AT_FDCWD, "f/", 0600) != 0 && mkfifoat (AT_FDCWD, "link/", 0600) != 0);
  clean ();

  mkdir ("d1", 0700);
  say ("gl_cv_func_remove_dir_works", remove ("d1") == 0);

  touch ("f");
  mkdir ("d1", 0700);
  errno = 0;
  int works = rmdir ("f/") != 0 && errno == ENOTDIR;
  say ("gl_cv_func_rmdir_works", works && rmdir ("d1/./") != 0);
  clean ();

  touch ("f");
  touch ("f1");
  mkdir ("d1", 0700);
  if (symlink ("f", "link") != 0)
    return 1;
  works = rename ("f1", "f2/") != 0 && rename ("d1", "d2/") == 0;
  say ("gl_cv_func_rename_slash_dst_works", works && rename ("f", "link/") != 0);
  works = rename ("f1/", "d3") != 0 && rename ("d2/", "d1") == 0;
  say ("gl_cv_func_rename_slash_src_works", works && rename ("link/", "f") != 0);
  clean ();

  touch ("f");
  mkdir ("d1", 0700);
  mkdir ("d2", 0700);
  say ("gl_cv_func_rename_dest_works", rename ("d1", "d2") == 0 && rename ("d2", "f") != 0);
  clean ();

  say ("gl_cv_func_rename_link_works", linked_names ());
  clean ();

  mkdir ("d1", 0700);
  if (chdir ("d1") != 0)
    return 1;
  say ("gl_cv_func_unlink_parent_fails", unlink ("..") != 0);
  if (chdir ("..") != 0)
    return 1;
  clean ();
  return 0;
}
