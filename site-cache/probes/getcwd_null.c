/* Does getcwd allocate a buffer when it is given none, and does it work however the environment looks?

   Asked by bash (BASH_FUNC_GETCWD), zsh and Ruby, which bring a getcwd of their own where the answer is no, and by Vim, whose
   question is the other way round: there were systems whose getcwd ran a program found through the environment.  */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int
main (void)
{
  char given[4096];
  char *own = getcwd (given, sizeof given);
  char *allocated = getcwd (NULL, 0);
  int allocates = allocated != NULL;
  int same = own != NULL && allocates && strcmp (own, allocated) == 0;
  free (allocated);

  char separator[] = "IFS=pwd";
  char *poor[] = { separator, NULL };
  environ = poor;
  int works = getcwd (given, sizeof given) != NULL;

  printf ("bash_cv_getcwd_malloc=%s\n", allocates ? "yes" : "no");
  printf ("rb_cv_getcwd_malloc=%s\n", allocates ? "yes" : "no");
  printf ("zsh_cv_getcwd_malloc=%s\n", same ? "yes" : "no");
  printf ("vim_cv_getcwd_broken=%s\n", works ? "no" : "yes");
  return 0;
}
