/* Does opendir open what is no directory?

   Asked by bash (BASH_FUNC_OPENDIR_CHECK), which looks with stat first where it does.  */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
main (void)
{
  char name[] = "fileXXXXXX";
  int file = mkstemp (name);
  if (file < 0)
    return 1;
  int opened = opendir (name) != NULL;
  unlink (name);
  printf ("bash_cv_opendir_not_robust=%s\n", opened ? "yes" : "no");
  return 0;
}
