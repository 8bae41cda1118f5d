/* Does explicit_bzero clear memory?

   Asked by apr-util, which clears with a volatile pointer where there is none.  */

#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

int
main (void)
{
  char bytes[2] = { 1, 2 };
  explicit_bzero (bytes, sizeof bytes);
  printf ("apu_cv_explicit_bzero=%s\n", bytes[0] == 0 && bytes[1] == 0 ? "yes" : "no");
  return 0;
}
