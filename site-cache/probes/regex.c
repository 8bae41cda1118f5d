/* Is the C library's matcher free of the faults that gnulib knew until 2026: letter case, classes, empty ranges, back references?

   Asked by gnulib's regex.m4, which brings its own matcher, and asks for what that needs, where the answer is no.  Since April 2026 it
   asks for two more, back references to groups that are empty, in which the GNU C library fails up to 2.43: of such a package, the
   answer is no longer that of the macro.  musl has not these functions.  */

#define _GNU_SOURCE 1
#include <limits.h>
#include <locale.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef RE_ICASE
static struct re_pattern_buffer compiled;

static const char *
compile (reg_syntax_t syntax, const char *pattern, unsigned char *translate)
{
  re_set_syntax (syntax);
  memset (&compiled, 0, sizeof compiled);
  compiled.translate = translate;
  return re_compile_pattern (pattern, strlen (pattern), &compiled);
}

/* Where PATTERN is found in the LENGTH bytes of TEXT, -1 for nowhere, -3 for a pattern that does not compile.  */
static int
find (reg_syntax_t syntax, const char *pattern, const char *text, int length, int start, int range)
{
  struct re_registers places = { 0 };
  if (compile (syntax, pattern, NULL))
    return -3;
  int found = re_search (&compiled, text, length, start, range, &places);
  regfree (&compiled);
  return found;
}

static int
works_in_utf8 (void)
{
  static const char junk[] = "\xFF\0\x12\xA2\xAA\xC4\xB1,K\x12\xC4\xB1*\xACK";
  static const char letters[] = "\xe1\x80\x80\xe1\x80\xbb\xe1\x80\xbd\xe1\x80\x94\xe1\x80\xba\xe1\x80\xaf\xe1\x80\x95\xe1\x80\xbax";
  const int junk_length = sizeof junk - 1, length = sizeof letters - 1;
  if (!setlocale (LC_ALL, "en_US.UTF-8") && !setlocale (LC_ALL, "C.UTF-8"))
    return 1;
  int works = find (RE_SYNTAX_GREP | RE_HAT_LISTS_NOT_NEWLINE | RE_ICASE, "insert into", junk, junk_length, 0, junk_length) == -1;
  int at = find (0, "[^x]x", letters, length, 0, length);
  setlocale (LC_ALL, "C");
  return works & (at == 0 || at == 21);
}

static int
works (void)
{
  unsigned char same[UCHAR_MAX + 1];
  for (int i = 0; i <= UCHAR_MAX; i++)
    same[i] = i;
  const reg_syntax_t egrep = RE_SYNTAX_POSIX_EGREP | RE_NO_EMPTY_RANGES;

  int works = works_in_utf8 ();
  works &= find (RE_SYNTAX_EGREP | RE_HAT_LISTS_NOT_NEWLINE, "a[^x]b", "a\nb", 3, 0, 3) == -1;
  works &= compile (RE_SYNTAX_POSIX_EGREP, "a[[:]:]]b\n", same) != NULL;
  works &= compile (egrep, "a[b-a]", NULL) != NULL;
  works &= compile (egrep, "{1", NULL) == NULL;
  works &= compile (egrep, "[an\371]*n", NULL) == NULL && re_match (&compiled, "an", 2, 0, NULL) == 2;
  works &= find (egrep, "x", "wxy", 3, 2, -2) == 1;
  works &= find (RE_SYNTAX_EMACS | RE_ICASE, "x", "WXY", 3, 0, 3) >= 0;
  works &= compile (RE_SYNTAX_POSIX_BASIC & ~RE_CONTEXT_INVALID_DUP & ~RE_NO_EMPTY_RANGES, "[[:alnum:]_-]\\+$", NULL) == NULL;
  const char *message = compile (RE_SYNTAX_POSIX_EGREP, "0|()0|\\1|0", NULL);
  works &= message ? strcmp (message, "Invalid back reference") == 0
    : find (RE_SYNTAX_POSIX_EGREP, "0|()0|\\1|0", "x", 1, 0, 1) == -1;
  return works & (REG_STARTEND != 0);
}
#endif

int
main (void)
{
#ifdef RE_ICASE
  alarm (5);
  printf ("gl_cv_func_re_compile_pattern_working=%s\n", works () ? "yes" : "no");
#else
  puts ("gl_cv_func_re_compile_pattern_working=no");
#endif
  return 0;
}
