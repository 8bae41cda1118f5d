/* What becomes of file descriptors: does dup2 leave the copy marked close-on-exec (it must not), is there dup3, does poll
   report a descriptor that is closed, does it work on devices, does a pipe or a socket refuse to seek, and does ulimit know
   how many descriptors there may be?

   Asked by bash (BASH_FUNC_DUP2_CLOEXEC_CHECK, BASH_FUNC_ULIMIT_MAXFDS), apr, CPython, ncurses (CF_FUNC_POLL) and zsh.
   bash reads the limit from ulimit, apr uses dup3, and the others go round poll or lseek where these are broken.  */

#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <ulimit.h>
#include <unistd.h>

static int
poll_for_input (int fd, short *events)
{
  struct pollfd one = { .fd = fd, .events = POLLIN };
  int found = poll (&one, 1, 0);
  *events = one.revents;
  return found;
}

static int
refuses_to_seek (int fd)
{
  return fd >= 0 && lseek (fd, 0, SEEK_CUR) == -1;
}

int
main (void)
{
  int null = open ("/dev/null", O_WRONLY);
  fcntl (null, F_SETFD, FD_CLOEXEC);
  int copy = dup2 (null, 40);
  int keeps_flag = copy >= 0 && (fcntl (copy, F_GETFD) & FD_CLOEXEC) != 0;
  printf ("bash_cv_dup2_broken=%s\n", keeps_flag ? "yes" : "no");
  printf ("apr_cv_dup3=%s\n", dup3 (null, 41, 0) != -1 ? "yes" : "no");

  /* 4 asks for the limit; the C libraries have no other name for it in common.  */
  printf ("bash_cv_ulimit_maxfds=%s\n", ulimit (4, 0L) != -1 ? "yes" : "no");

  close (42);
  struct pollfd closed = { .fd = 42, .events = POLLIN | POLLPRI | POLLOUT };
  int found = poll (&closed, 1, 0);
  int broken = found < 0 || (found == 0 && closed.revents != POLLNVAL);
  printf ("ac_cv_broken_poll=%s\n", broken ? "yes" : "no");

  short events;
  int device = poll_for_input (null, &events) >= 0 && !(events & POLLNVAL);
  int terminal = posix_openpt (O_RDWR);
  device = device && terminal >= 0 && poll_for_input (terminal, &events) >= 0;
  printf ("cf_cv_working_poll=%s\n", device ? "yes" : "no");

  char name[] = "seekXXXXXX";
  int file = mkstemp (name);
  int pipes[2] = { -1, -1 };
  int seeks = file >= 0 && lseek (file, 0, SEEK_CUR) == 0 && pipe (pipes) == 0;
  seeks = seeks && refuses_to_seek (pipes[0]) && refuses_to_seek (socket (AF_UNIX, SOCK_STREAM, 0));
  unlink (name);
  printf ("zsh_cv_sys_lseek=%s\n", seeks ? "yes" : "no");
  return 0;
}
