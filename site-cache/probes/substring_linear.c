/* Is a long needle found in a long text in a time that grows with the sum of their lengths, not with the product?

   Asked by gnulib's strstr.m4, strcasestr.m4, memmem.m4 and wcsstr.m4, which give the library five seconds for a million
   characters; where the answer is no, the function is replaced.  Here the lengths are smaller, for the sake of emulated
   processors, and the time is that of the processor.  */

#define _GNU_SOURCE 1
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

enum { LENGTH = 200000 };

static char text[2 * LENGTH + 2], needle[LENGTH + 2];
static wchar_t wide_text[2 * LENGTH + 2], wide_needle[LENGTH + 2];

static int
find (void)
{
  return strstr (text, needle) != NULL;
}

static int
find_any_case (void)
{
  return strcasestr (text, needle) != NULL;
}

static int
find_bytes (void)
{
  return memmem (text, 2 * LENGTH + 1, needle, LENGTH + 1) != NULL;
}

static int
find_wide (void)
{
  return wcsstr (wide_text, wide_needle) != NULL;
}

/* In a child, which dies when it takes a second of the processor: the product is 4e10.  */
static void
say_linear (const char *variable, int (*search) (void))
{
  fflush (stdout);
  pid_t child = fork ();
  if (child == 0)
    {
      struct rlimit second = { 1, 1 };
      setrlimit (RLIMIT_CPU, &second);
      _exit (search () ? 0 : 1);
    }
  int status;
  int linear = waitpid (child, &status, 0) == child && WIFEXITED (status) && WEXITSTATUS (status) == 0;
  printf ("%s=%s\n", variable, linear ? "yes" : "no");
}

int
main (void)
{
  memset (text, 'A', 2 * LENGTH);
  text[2 * LENGTH] = 'B';
  memset (needle, 'A', LENGTH);
  needle[LENGTH] = 'B';
  wmemset (wide_text, L'A', 2 * LENGTH);
  wide_text[2 * LENGTH] = L'B';
  wmemset (wide_needle, L'A', LENGTH);
  wide_needle[LENGTH] = L'B';

  say_linear ("gl_cv_func_strstr_linear", find);
  say_linear ("gl_cv_func_strcasestr_linear", find_any_case);
  say_linear ("gl_cv_func_memmem_works_fast", find_bytes);
  say_linear ("gl_cv_func_wcsstr_linear", find_wide);
  return 0;
}
