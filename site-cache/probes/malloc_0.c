/* Does malloc (0) give a pointer, and realloc (0, 0) one?  A program may take a null pointer for want of memory.

   Asked by autoconf's AC_FUNC_MALLOC and AC_FUNC_REALLOC, which replace both functions where the answer is no, and by
   gnulib's malloc.m4, which says 1 or 0.  */

#include <stdio.h>
#include <stdlib.h>

int
main (void)
{
  /* The compiler is not to know what is asked for.  */
  volatile size_t nothing = 0;
  void *volatile from = NULL;
  void *allocated = malloc (nothing);
  void *reallocated = realloc (from, nothing);
  printf ("ac_cv_func_malloc_0_nonnull=%s\n", allocated ? "yes" : "no");
  printf ("gl_cv_func_malloc_0_nonnull=%d\n", allocated != NULL);
  printf ("ac_cv_func_realloc_0_nonnull=%s\n", reallocated ? "yes" : "no");
  free (allocated);
  free (reallocated);
  return 0;
}
