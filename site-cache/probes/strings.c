/* Do the string functions read no byte that they must not, at any alignment, and give what they are to give?  Each reads next to
   a page that cannot be read.

   Asked by autoconf's AC_FUNC_MEMCMP, AC_FUNC_STRCOLL and AC_FUNC_STRNLEN and by gnulib's memchr.m4, memcmp.m4, stpncpy.m4,
   strchrnul.m4, strncat.m4, strncpy.m4, strndup.m4, strnlen.m4 and strtok_r.m4; where the answer is no, the function is
   replaced.  */

#define _GNU_SOURCE 1
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The first byte of a page that cannot be read.  */
static char *fence;

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
memchr_works (void)
{
  void *(*volatile find) (const void *, int, size_t) = memchr;
  memcpy (fence - 9, "12345678", 9);
  return !find (fence, 0, 0) && find (fence - 9, 0, 79) == fence - 1 && find (fence - 1, 0, 3) == fence - 1
    && find (fence - 4, '6', 16) == fence - 4 && find ("abc", 0x789abc00 | 'b', 3) != NULL;
}

static int
memcmp_works (void)
{
  int (*volatile compare) (const void *, const void *, size_t) = memcmp;
  char low = '\100', high = '\200', higher = '\201', a[24], b[24];
  int works = compare (&low, &higher, 1) < 0 && compare (&high, &higher, 1) < 0;
  for (int i = 0; i < 4; i++)
    {
      strcpy (a + i, "--------01111111");
      strcpy (b + i, "--------10000000");
      works &= compare (a + i, b + i, 16) < 0;
    }
  return works;
}

static int
strnlen_works (void)
{
  size_t (*volatile length) (const char *, size_t) = strnlen;
  int works = length ("", (size_t) -1) == 0;
  for (size_t i = 0; i <= 7; i++)
    works &= length ("foobar", i) == (i < 6 ? i : 6);
  return works;
}

static int
strchrnul_works (void)
{
  const char *text = "a";
  char *(*volatile find) (const char *, int) = strchrnul;
  return find (text, 'b') == text + 1;
}

/* Each of the three copies three bytes that no null ends.  */

static int
strncat_works (void)
{
  char *(*volatile append) (char *, const char *, size_t) = strncat;
  char to[] = "*a\0wxyz";
  return append (to + 1, fence - 3, 3) == to + 1 && memcmp (to, "*a729\0z", 8) == 0;
}

static int
strncpy_works (void)
{
  char *(*volatile copy) (char *, const char *, size_t) = strncpy;
  char to[] = "abcdefg";
  return copy (to + 1, fence - 3, 3) == to + 1 && memcmp (to, "a729efg", 8) == 0;
}

static int
stpncpy_works (void)
{
  char *(*volatile copy) (char *, const char *, size_t) = stpncpy;
  char to[] = "abcdefg", room[10];
  int works = copy (to + 1, fence - 3, 3) == to + 4 && memcmp (to, "a729efg", 8) == 0;
  return works && copy (room, "Hello", 2) == room + 2 && copy (room, "Hello", 5) == room + 5 && copy (room, "Hello", 7) == room + 5;
}

static int
strndup_works (void)
{
  char *(*volatile duplicate) (const char *, size_t) = strndup;
  char *s = duplicate ("some longer string", 15);
  free (s);
  s = duplicate ("shorter string", 13);
  return s && s[13] == '\0' && duplicate (fence, 0) != NULL;
}

static int
strtok_r_works (void)
{
  char *(*volatile split) (char *restrict, const char *restrict, char **restrict) = strtok_r;
  char nothing_but[] = "xxxx", *rest = NULL;
  return !split (nothing_but, "x", &rest) && !split (NULL, "x", &rest);
}

int
main (void)
{
  long page = sysconf (_SC_PAGESIZE);
  char *two = mmap (NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (two == MAP_FAILED || mprotect (two + page, page, PROT_NONE) != 0)
    return 1;
  fence = two + page;

  say ("gl_cv_func_memchr_works", memchr_works ());
  int works = memcmp_works ();
  say ("ac_cv_func_memcmp_working", works);
  say ("gl_cv_func_memcmp_working", works);
  say ("ac_cv_func_strnlen_working", strnlen_works ());
  say ("gl_cv_func_strchrnul_works", strchrnul_works ());
  say ("ac_cv_func_strcoll_works", strcoll ("abc", "def") < 0 && strcoll ("ABC", "DEF") < 0 && strcoll ("123", "456") < 0);
  memcpy (fence - 3, "729", 3);
  say ("gl_cv_func_strncat_works", strncat_works ());
  say ("gl_cv_func_strncpy_works", strncpy_works ());
  say ("gl_cv_func_stpncpy", stpncpy_works ());
  say ("gl_cv_func_strndup_works", strndup_works ());
  say ("gl_cv_func_strtok_r_works", strtok_r_works ());
  return 0;
}
