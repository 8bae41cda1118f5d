/* Do brk and sbrk move the end of the data segment, or are they there to fail, as in musl?

   Asked by bash (BASH_FUNC_SBRK, since 5.3 BASH_FUNC_BRK); its malloc takes its memory from sbrk where it works.  */

#include <stdio.h>
#include <unistd.h>

int
main (void)
{
  int sets = brk (NULL) != -1;
  int grows = sbrk (4096) != (void *) -1;
  printf ("bash_cv_func_brk=%s\n", sets ? "yes" : "no");
  printf ("bash_cv_func_sbrk=%s\n", grows ? "yes" : "no");
  return 0;
}
