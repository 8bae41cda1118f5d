/* May a file be mapped privately over a page that is mapped already, are the bytes behind its end zero, and do changes stay out of the
   file?

   Asked by autoconf's AC_FUNC_MMAP.  */

#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int
works (void)
{
  long page = sysconf (_SC_PAGESIZE);
  char *content = malloc (page), *again = malloc (page);
  for (long i = 0; i < page; i++)
    content[i] = rand ();
  int full = open ("full", O_RDWR | O_CREAT, 0600), small = open ("small", O_RDWR | O_CREAT, 0600);
  if (write (full, content, page) != page || write (small, "", 1) != 1)
    return 0;
  char *shared = mmap (NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, small, 0);
  if (shared == MAP_FAILED)
    return 0;
  for (long i = 0; i < page; i++)
    if (shared[i] != 0)
      return 0;
  /* A page that is ours, to be mapped over.  */
  char *over = mmap (NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mmap (over, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, full, 0) != over || memcmp (over, content, page) != 0)
    return 0;
  for (long i = 0; i < page; i++)
    over[i]++;
  return pread (full, again, page, 0) == page && memcmp (again, content, page) == 0;
}

int
main (void)
{
  printf ("ac_cv_func_mmap_fixed_mapped=%s\n", works () ? "yes" : "no");
  unlink ("full");
  unlink ("small");
  return 0;
}
