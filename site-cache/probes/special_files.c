/* Are there named pipes that carry data, does mknod make pipes and sockets, and can such a file have a second link?

   Asked by bash (BASH_SYS_NAMED_PIPES), zsh and rsync.  bash and zsh do process substitution through named pipes where there is
   no /dev/fd; rsync keeps hard links between special files where they can be.  */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int
main (void)
{
  int made = mkfifo ("pipe", 0600) == 0;
  int status = -1, carried = 0;
  if (made)
    {
      pid_t writer = fork ();
      if (writer == 0)
        {
          int in = open ("pipe", O_WRONLY);
          _exit (in >= 0 && write (in, "p", 1) == 1 ? 0 : 1);
        }
      char letter = 0;
      int out = open ("pipe", O_RDONLY);
      carried = out >= 0 && read (out, &letter, 1) == 1 && letter == 'p';
      waitpid (writer, &status, 0);
    }
  int linked = link ("pipe", "pipe2") == 0;
  int pipes = mknod ("pipe3", S_IFIFO | 0600, 0) == 0;
  int sockets = mknod ("socket", S_IFSOCK | 0600, 0) == 0;
  unlink ("pipe");
  unlink ("pipe2");
  unlink ("pipe3");
  unlink ("socket");

  printf ("bash_cv_sys_named_pipes=%s\n", made ? "present" : "missing");
  printf ("zsh_cv_sys_fifo=%s\n", carried && status == 0 ? "yes" : "no");
  printf ("rsync_cv_can_hardlink_special=%s\n", linked ? "yes" : "no");
  printf ("rsync_cv_MKNOD_CREATES_FIFOS=%s\n", pipes ? "yes" : "no");
  printf ("rsync_cv_MKNOD_CREATES_SOCKETS=%s\n", sockets ? "yes" : "no");
  return 0;
}
