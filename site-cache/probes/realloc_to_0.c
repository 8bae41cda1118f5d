/* Does realloc give a pointer both from nothing to nothing and when it shrinks a region to nothing?
   The GNU C library frees the region and gives a null pointer.

   Asked by gnulib's realloc.m4; where the answer is no, realloc is replaced.  */

#include <stdio.h>
#include <stdlib.h>

int
main (void)
{
  volatile size_t nothing = 0;
  void *volatile p = realloc (NULL, nothing);
  int first = p != NULL;
  p = realloc (p, nothing);
  printf ("gl_cv_func_realloc_0_nonnull=%s\n", first && p ? "yes" : "no");
  free (p);
  return 0;
}
