/* Does one of malloc (0), calloc (0, n) and realloc (p, 0) give a null pointer?  glibc's realloc frees then; musl's gives the smallest
   block.

   Asked by the X.Org macros (XORG_CHECK_MALLOC_ZERO): the libraries ask for one byte more where the answer is yes.  */

#include <stdio.h>
#include <stdlib.h>

int
main (void)
{
  volatile size_t nothing = 0;
  void *volatile plain = malloc (nothing);
  void *volatile cleared = calloc (nothing, 10);
  void *volatile some = malloc (10);
  void *volatile shrunk = realloc (some, nothing);
  printf ("xorg_cv_malloc0_returns_null=%s\n", plain && cleared && shrunk ? "no" : "yes");
  return 0;
}
