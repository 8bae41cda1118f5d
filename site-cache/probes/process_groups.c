/* Can a process join a group whose leader has ended but was not waited for, and does kill say of a process that is not there
   that it is not there?

   Asked by bash (BASH_SYS_PGRP_SYNC), which holds the processes of a pipeline back with a pipe where the first is no, and by zsh.  */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int
main (void)
{
  int status = -1;
  siginfo_t ended;
  pid_t leader = fork ();
  if (leader == 0)
    {
      setpgid (0, 0);
      _exit (0);
    }
  setpgid (leader, leader);
  /* Until it has ended, without taking it away.  */
  waitid (P_PID, leader, &ended, WEXITED | WNOWAIT);

  pid_t member = fork ();
  if (member == 0)
    {
      setpgid (0, leader);
      _exit (getpgrp () == leader ? 0 : 1);
    }
  setpgid (member, leader);
  waitpid (member, &status, 0);
  waitpid (leader, NULL, 0);
  printf ("bash_cv_pgrp_pipe=%s\n", status == 0 ? "no" : "yes");

  /* Its number is free now, and is not given again so soon.  */
  int gone = kill (leader, 0) == -1 && errno == ESRCH;
  printf ("zsh_cv_sys_killesrch=%s\n", gone ? "yes" : "no");
  return 0;
}
