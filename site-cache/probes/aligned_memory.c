/* Do the functions that allocate at an alignment take small alignments, odd sizes and no size at all, and do they keep a large one?

   Asked by gnulib's aligned_alloc.m4, memalign.m4 and posix_memalign.m4; where the answer is no, the function is replaced.  */

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

int
main (void)
{
  volatile size_t pointer = sizeof (void *), none = 0, one = 1, two = 2, eighteen = 18, large = 32, odd = 2406;
  void *p = NULL;

  say ("gl_cv_func_aligned_alloc_works",
       aligned_alloc (two, eighteen) && aligned_alloc (pointer, pointer + 1) && aligned_alloc (pointer, none));
  say ("gl_cv_func_memalign_works", memalign (one, one) && memalign (two, one));

  int empty = posix_memalign (&p, pointer, none) == 0;
  int aligned = posix_memalign (&p, large, odd) != 0 || (uintptr_t) p % large == 0;
  say ("gl_cv_func_posix_memalign_works", empty && aligned);
  return 0;
}
