/* Does calloc give a pointer for no elements?  A null pointer would look like want of memory.

   Asked by gnulib's calloc.m4, in two spellings; where the answer is no, calloc is replaced.  */

#include <stdio.h>
#include <stdlib.h>

int
main (void)
{
  volatile size_t nothing = 0;
  void *p = calloc (nothing, nothing);
  const char *answer = p ? "yes" : "no";
  printf ("ac_cv_func_calloc_0_nonnull=%s\n", answer);
  printf ("gl_cv_func_calloc_0_nonnull=%s\n", answer);
  free (p);
  return 0;
}
