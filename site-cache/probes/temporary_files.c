/* Does mkstemp make different files that only their owner may read?

   Asked by rsync and ncurses (CF_MKSTEMP); both make names of their own otherwise.  */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
main (void)
{
  char one[] = "fileXXXXXX", other[] = "fileXXXXXX";
  struct stat seen = { .st_mode = 0 };
  umask (0);
  int first = mkstemp (one), second = mkstemp (other);
  int private = first >= 0 && fstat (first, &seen) == 0 && S_ISREG (seen.st_mode) && (seen.st_mode & 0777) == 0600;
  int differ = second >= 0 && strcmp (one, other) != 0 && strcmp (one, "fileXXXXXX") != 0;
  unlink (one);
  unlink (other);
  printf ("rsync_cv_HAVE_SECURE_MKSTEMP=%s\n", private ? "yes" : "no");
  printf ("cf_cv_func_mkstemp=%s\n", private && differ ? "yes" : "no");
  return 0;
}
