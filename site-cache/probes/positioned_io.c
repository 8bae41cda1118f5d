/* Do pread and pwrite work at an offset, and refuse a pipe and a negative one?  Does tdelete say that it deleted the root?

   Asked by gnulib's pread.m4, pwrite.m4 and tsearch.m4; where the answer is no, the functions are replaced.  */

#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
compare (const void *a, const void *b)
{
  return *(const int *) a - *(const int *) b;
}

static int
tdelete_works (void)
{
  int x = 0;
  void *root = NULL;
  int works = !tfind (&x, &root, compare);
  tsearch (&x, &root, compare);
  works &= tfind (&x, &root, compare) != NULL;
  return works & (tdelete (&x, &root, compare) != NULL);
}

int
main (void)
{
  char c, content[2];
  int pipes[2], fd = open ("file", O_RDWR | O_CREAT, 0600);
  if (fd < 0 || pipe (pipes) != 0 || write (fd, "01", 2) != 2)
    return 1;
  say ("gl_cv_func_pread_works", pread (fd, &c, 1, 0) == 1 && c == '0' && pread (pipes[0], &c, 1, 0) < 0);
  int works = pwrite (fd, "b", 1, -1) < 0 && pwrite (fd, "W", 1, 0) == 1;
  say ("gl_cv_func_pwrite_works", works && pread (fd, content, 2, 0) == 2 && memcmp (content, "W1", 2) == 0);
  say ("gl_cv_func_tdelete_works", tdelete_works ());
  unlink ("file");
  return 0;
}
