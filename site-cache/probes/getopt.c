/* Does getopt keep to POSIX, and has it the extensions of GNU (a plus or a minus at the head of the options, optional arguments, a start
   again at 0)?  Does getopt_long take an abbreviation that is not ambiguous in its effect?

   Asked by gnulib's getopt.m4: where the answer is no, getopt is replaced.  */

#define _GNU_SOURCE 1
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char program[] = "program", word[] = "word", other[] = "other", dash_a[] = "-a", dash_b[] = "-b", dash_p[] = "-p";

/* Each test is one of a fresh process, since getopt remembers.  */
static int
succeeds (int (*test) (void))
{
  int status;
  pid_t child = fork ();
  if (child == 0)
    _exit (test () ? 0 : 1);
  return waitpid (child, &status, 0) == child && status == 0;
}

static int
stops_at_a_word (void)
{
  char *arguments[] = { program, dash_a, word, other, NULL };
  return getopt (4, arguments, "ab") == 'a' && getopt (4, arguments, "ab") == -1 && optind == 2;
}

static int
keeps_the_order (void)
{
  char *arguments[] = { program, word, dash_p, other, word, dash_a, other, NULL }, *before[8];
  memcpy (before, arguments, sizeof before);
  return getopt (7, arguments, "+abp:q:") == -1 && memcmp (before, arguments, sizeof before) == 0 && optind == 1;
}

static int
counts_a_missing_argument (void)
{
  static char both[] = "-ab";
  char *arguments[] = { program, both, NULL };
  opterr = 0;
  return getopt (2, arguments, "ab:") == 'a' && getopt (2, arguments, "ab:") == '?' && optopt == 'b' && optind == 2;
}

static int
knows_plus_is_no_option (void)
{
  static char plus[] = "-+";
  char *arguments[] = { program, plus, NULL };
  opterr = 0;
  return getopt (2, arguments, "+a") == '?';
}

static int
has_optional_arguments (void)
{
  char *arguments[] = { program, dash_p, word, other, NULL };
  return getopt (4, arguments, "p::") == 'p' && optarg == NULL && getopt (4, arguments, "p::") == -1 && optind == 2;
}

static int
gives_words_in_order (void)
{
  char *arguments[] = { program, word, dash_p, NULL };
  optind = 0;
  return getopt (3, arguments, "-p") == 1 && getopt (3, arguments, "-p") == 'p';
}

static int
tells_a_missing_argument (void)
{
  char *arguments[] = { program, dash_b, dash_a, NULL };
  optind = opterr = 0;
  return getopt (3, arguments, "+:a:b") == 'b' && getopt (3, arguments, "+:a:b") == ':';
}

static int
knows_the_long_w (void)
{
  static char dash_w[] = "-W";
  char *arguments[] = { program, dash_w, word, NULL };
  optind = opterr = 1;
  return getopt (3, arguments, "W;") == 'W';
}

static int
knows_abbreviations (void)
{
  static const struct option options[] =
    { { "xtremely-", 0, NULL, 1003 }, { "xtra", 0, NULL, 1001 }, { "xtreme", 0, NULL, 1002 }, { "xtremely", 0, NULL, 1003 }, { 0 } };
  static char brief[] = "--xtremel";
  char *arguments[] = { program, brief, NULL };
  int index;
  opterr = 0;
  return getopt_long (2, arguments, "", options, &index) == 1003;
}

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

int
main (void)
{
  fflush (stdout);
  unsetenv ("POSIXLY_CORRECT");
  int posix = succeeds (stops_at_a_word) && succeeds (keeps_the_order) && succeeds (counts_a_missing_argument);
  int long_options = succeeds (knows_abbreviations);
  /* The macro asks for the extensions under this variable.  */
  setenv ("POSIXLY_CORRECT", "1", 1);
  int gnu = succeeds (knows_plus_is_no_option) && succeeds (has_optional_arguments) && succeeds (gives_words_in_order)
    && succeeds (tells_a_missing_argument) && succeeds (knows_the_long_w);
  say ("gl_cv_func_getopt_posix", posix);
  say ("gl_cv_func_getopt_long_gnu", long_options);
  say ("gl_cv_func_getopt_gnu", gnu);
  return 0;
}
