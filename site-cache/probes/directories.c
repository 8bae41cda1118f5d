/* Do the functions that name directories and files keep to POSIX: readdir's inode numbers, fdopendir, fstatat, getcwd, realpath?

   Asked by gnulib's canonicalize.m4, d-ino.m4, fdopendir.m4, fstatat.m4, getcwd.m4 and glob.m4, which replace the functions where the
   answer is no, by gnulib's fsusage.m4 (the field f_frsize of statfs), and by autoconf 2.69's AC_FUNC_CLOSEDIR_VOID.  */

#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

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
inodes_agree (void)
{
  struct stat st;
  DIR *directory = opendir (".");
  struct dirent *entry = directory ? readdir (directory) : NULL;
  int agree = entry && lstat (entry->d_name, &st) == 0 && entry->d_ino == st.st_ino;
  if (directory)
    closedir (directory);
  return agree;
}

/* realpath: nearly, when its one fault is to tell // from /.  */
static const char *
judge_realpath (void)
{
  char *name = realpath ("file", NULL);
  int works = name && *name == '/';
  works &= !realpath ("missing/../file", NULL);
  errno = 0;
  works &= !realpath ("link/../file", NULL) && errno == ENOTDIR;
  works &= !realpath ("file/", NULL);
  char *here = realpath (".", NULL), *around = realpath ("directory//./..", NULL);
  works &= here && around && strcmp (here, around) == 0;
  char *root = realpath ("//", NULL);
  return !works ? "no" : root && strcmp (root, "/") == 0 ? "yes" : "nearly";
}

static int
gives_root (void)
{
  char *root = chdir ("/") == 0 ? getcwd (NULL, 0) : NULL;
  return root && strcmp (root, "/") == 0;
}

int
main (void)
{
  struct stat st;
  struct statfs fs;
  glob_t found;
  int file = open ("file", O_RDWR | O_CREAT, 0600), back = open (".", O_RDONLY);
  if (file < 0 || back < 0 || symlink ("file", "link") != 0 || symlink ("nowhere", "dangling") != 0 || mkdir ("directory", 0700) != 0)
    return 1;

  say ("ac_cv_func_closedir_void", yes_or_no (closedir (opendir (".")) != 0));
  fs.f_frsize = 0;
  say ("fu_cv_sys_stat_statfs2_frsize", yes_or_no (statfs (".", &fs) == 0));
  DIR *directory = fdopendir (file);
  say ("gl_cv_func_fdopendir_works", yes_or_no (!directory && close (file) == 0));
  say ("gl_cv_func_fstatat_zero_flag", yes_or_no (fstatat (AT_FDCWD, ".", &st, 0) == 0));
  say ("gl_cv_func_realpath_works", judge_realpath ());
  say ("gl_cv_glob_lists_symlinks", yes_or_no (glob ("dang*", 0, NULL, &found) == 0));
  say ("gl_cv_glob_omit_nondir_symlinks", yes_or_no (glob ("lin*/", 0, NULL, &found) == GLOB_NOMATCH));
  say ("gl_cv_struct_dirent_d_ino", yes_or_no (inodes_agree ()));

  say ("gl_cv_func_getcwd_null", yes_or_no (gives_root ()));
  if (fchdir (back) != 0)
    return 1;
  unlink ("file");
  unlink ("link");
  unlink ("dangling");
  rmdir ("directory");
  return 0;
}
