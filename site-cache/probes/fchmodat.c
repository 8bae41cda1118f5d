/* Does fchmodat change what is no link when it is told not to follow links, and refuse a slash after the name of a file?

   Asked by gnulib's fchmodat.m4: nearly, where the slash is its one fault.  Otherwise the function is replaced.  The C libraries do it
   through /proc where the kernel is older than 6.6.  */

#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int
main (void)
{
  struct stat st;
  close (creat ("file", 0777));
  int slash = fchmodat (AT_FDCWD, "file/", 0600, 0) != 0;
  int works = fchmodat (AT_FDCWD, "file", 0600, AT_SYMLINK_NOFOLLOW) == 0 && stat ("file", &st) == 0 && (st.st_mode & 0777) == 0600;
  printf ("gl_cv_func_fchmodat_works=%s\n", !works ? "no" : slash ? "yes" : "nearly");
  unlink ("file");
  return 0;
}
