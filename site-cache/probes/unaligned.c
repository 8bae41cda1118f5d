/* May a program read an int at an address that is no multiple of its size?  The hardware does it, or it raises SIGBUS.

   Asked by CPython, which hashes strings with FNV, not with SipHash, where the answer is yes.  */

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void
refused (int number)
{
  static const char answer[] = "ac_cv_aligned_required=yes\n";
  (void) number;
  _exit (write (STDOUT_FILENO, answer, sizeof answer - 1) > 0 ? 0 : 1);
}

int
main (void)
{
  static char bytes[] __attribute__ ((aligned (8))) = "abcdefghijklmno";
  /* An int pointer that the compiler takes for an aligned one.  */
  union { char *bytes; const volatile int *number; } one = { bytes + 1 }, other = { bytes + 2 };
  signal (SIGBUS, refused);
  signal (SIGSEGV, refused);
  int same = *one.number == *other.number;
  printf ("ac_cv_aligned_required=%s\n", same ? "yes" : "no");
  return 0;
}
