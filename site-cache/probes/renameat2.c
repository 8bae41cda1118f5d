/* Does renameat2 look for its source first, and refuse a new name that ends in a slash for a file?

   Asked by gnulib's renameat.m4; where the answer is no, the function is replaced.  */

#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The library's function is younger in musl than musl is here; it is no more than the system call.  */
static int
move (const char *from, const char *to, unsigned flags)
{
  return syscall (SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

int
main (void)
{
  enum { NOREPLACE = 1 };
  close (creat ("file", 0600));
  int works = move ("missing", "missing", NOREPLACE) != 0 && move ("file", "new/", 0) != 0;
  printf ("gl_cv_func_renameat2_works=%s\n", works ? "yes" : "no");
  unlink ("file");
  return 0;
}
