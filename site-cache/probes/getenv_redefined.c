/* May a program have a getenv of its own in place of the C library's?

   Asked by bash (BASH_FUNC_GETENV), whose own getenv lets library functions see its variables.  */

#include <stdio.h>

char *getenv (const char *name);

char *
getenv (const char *name)
{
  static char answer[] = "mine";
  return name[0] == 'M' ? answer : NULL;
}

int
main (void)
{
  const char *volatile name = "MINE";
  char *answer = getenv (name);
  printf ("bash_cv_getenv_redef=%s\n", answer && answer[0] == 'm' ? "yes" : "no");
  return 0;
}
