/* At which bit of a wait status does the exit code begin, and does waitpid take WCONTINUED?

   Asked by bash (BASH_STRUCT_WEXITSTATUS_OFFSET, BASH_CHECK_WCONTINUED).  With a wrong offset bash makes up wait statuses that say
   something else; without WCONTINUED it does not notice jobs that go on.  */

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int
main (void)
{
  int status = 0, offset = 0;
  pid_t child = fork ();
  if (child == 0)
    _exit (42);
  if (waitpid (child, &status, 0) != child)
    return 1;
  while (offset < 32 && ((status >> offset) & 0xff) != 42)
    offset++;
  printf ("bash_cv_wexitstatus_offset=%d\n", offset < 32 ? offset : 0);

  int unknown = waitpid (-1, NULL, WNOHANG | WCONTINUED) == -1 && errno == EINVAL;
  printf ("bash_cv_wcontinued_broken=%s\n", unknown ? "yes" : "no");
  return 0;
}
