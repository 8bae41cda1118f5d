/* Does strcoll order as strcmp does in the C locale, which configure runs its tests in?

   Asked by bash and readline (BASH_FUNC_STRCOLL), which take strcmp for strcoll where the answer is yes: the test calls a strcoll
   broken that orders "aXd" after "abd" as well.  The name says the opposite of what is found: it is no where both agree.  */

#include <locale.h>
#include <stdio.h>
#include <string.h>

int
main (void)
{
  const char *volatile one = "abd";
  const char *volatile other = "aXd";
  setlocale (LC_ALL, "C");
  printf ("bash_cv_func_strcoll_broken=%s\n", strcoll (one, other) > 0 && strcmp (one, other) > 0 ? "no" : "yes");
  return 0;
}
