/* Does a handler that asks for the alternate stack run there, when the stack overflows, too?

   Asked by gnulib's sigaltstack.m4 (diffutils, grep, m4 report an overflow so).  */

#define _GNU_SOURCE 1
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char room[2 * (1 << 20)];

static void
on_overflow (int number)
{
  (void) number;
  _exit (0);
}

static void
on_signal (int number)
{
  volatile char here = number;
  volatile char *place = &here;
  _exit (place >= room + sizeof room / 2 && place < room + sizeof room ? 0 : 1);
}

static volatile int *
recurse (volatile int n, volatile int *p)
{
  if (n >= 0)
    *recurse (n + 1, p) += n;
  return p;
}

static void
install (void (*handler) (int), char *start, size_t size)
{
  stack_t stack = { .ss_sp = start, .ss_size = size };
  struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
  if (sigaltstack (&stack, NULL) != 0 || sigaction (SIGSEGV, &action, NULL) != 0 || sigaction (SIGBUS, &action, NULL) != 0)
    _exit (3);
}

static int
succeeds (void (*test) (void))
{
  int status;
  fflush (stdout);
  pid_t child = fork ();
  if (child == 0)
    {
      test ();
      _exit (2);
    }
  return waitpid (child, &status, 0) == child && status == 0;
}

static void
overflow (void)
{
  volatile int sum = 0;
  struct rlimit limit = { 0x100000, 0x100000 };
  setrlimit (RLIMIT_STACK, &limit);
  install (on_overflow, room, sizeof room);
  recurse (0, &sum);
}

static void
use_upper_half (void)
{
  install (on_signal, room + sizeof room / 2, sizeof room / 2);
  /* Not raise, which sends nothing where glibc is built for SuperH (2.41, 2.43).  */
  kill (getpid (), SIGSEGV);
}

int
main (void)
{
  printf ("sv_cv_sigaltstack=%s\n", succeeds (overflow) ? "yes" : "no");
  printf ("sv_cv_sigaltstack_low_base=%s\n", succeeds (use_upper_half) ? "yes" : "no");
  return 0;
}
