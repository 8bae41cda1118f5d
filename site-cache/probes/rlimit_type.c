/* Is there struct rlimit, and is the type of its limits unsigned?

   Asked by apr and zsh.  */

#include <stdio.h>
#include <sys/resource.h>

int
main (void)
{
  volatile rlim_t below = (rlim_t) -1;
  volatile rlim_t zero = 0;
  struct rlimit limit = { .rlim_cur = zero };
  printf ("ac_cv_struct_rlimit=%s\n", limit.rlim_cur == 0 ? "yes" : "no");
  printf ("zsh_cv_type_rlim_t_is_unsigned=%s\n", below < zero ? "no" : "yes");
  return 0;
}
