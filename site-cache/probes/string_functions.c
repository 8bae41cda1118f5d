/* Small faults that string functions once had: strchrnul that does not find the end, strstr that reads beyond an empty string,
   strtoul that fails on "0", copies that do not bear overlap, strncmp that reads beyond the end, toupper and tolower that change
   what is right already.

   Asked by bash 5.3 (BASH_FUNC_STRCHRNUL), Tcl, Vim, ncurses (CF_CHECK_BCOPY), OpenLDAP and libiberty (in GCC, binutils and GDB).
   They bring a function of their own where the C library's has the fault.  */

#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

/* The compiler is to call the functions, not to work them out.  */
static char *(*volatile strchrnul_) (const char *, int) = strchrnul;
static char *(*volatile strstr_) (const char *, const char *) = strstr;
static void *(*volatile memmove_) (void *, const void *, size_t) = memmove;
static void (*volatile bcopy_) (const void *, void *, size_t) = bcopy;
static int (*volatile strncmp_) (const char *, const char *, size_t) = strncmp;

/* Moves ten letters to the right and to the left, each time over themselves.  */
static int
bears_overlap (int with_bcopy)
{
  char text[] = "0123456789abcdef";
  if (with_bcopy)
    {
      bcopy_ (text, text + 3, 10);
      bcopy_ (text + 6, text + 4, 10);
    }
  else
    {
      memmove_ (text + 3, text, 10);
      memmove_ (text + 4, text + 6, 10);
    }
  return strcmp (text, "01203456789defef") == 0;
}

/* Compares two strings that end right before pages which nobody may read.  */
static int
strncmp_stays_inside (void)
{
  size_t page = sysconf (_SC_PAGESIZE);
  char *pages = mmap (NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED)
    return 0;
  mprotect (pages + page, page, PROT_NONE);
  mprotect (pages + 3 * page, page, PROT_NONE);
  char *one = pages + page - 10, *other = pages + 3 * page - 9;
  memset (one, 'x', 10);
  memset (other, 'x', 9);
  one[9] = other[8] = '\0';
  /* Not equal, because one is longer; a fault would have ended the process.  */
  return strncmp_ (one, other, 100) > 0 && strncmp_ (one + 1, other, 100) == 0;
}

int
main (void)
{
  const char *text = "abc";
  printf ("bash_cv_func_strchrnul_works=%s\n", strchrnul_ (text, 'd') == text + 3 ? "yes" : "no");
  printf ("tcl_cv_strstr_unbroken=%s\n", strstr_ ("\0found", "found") == NULL ? "ok" : "broken");
  char *end;
  const char *volatile zero = "0";
  const char *from = zero;
  printf ("tcl_cv_strtoul_unbroken=%s\n", strtoul (from, &end, 0) == 0 && end == from + 1 ? "ok" : "broken");
  printf ("vim_cv_memmove_handles_overlap=%s\n", bears_overlap (0) ? "yes" : "no");
  printf ("vim_cv_bcopy_handles_overlap=%s\n", bears_overlap (1) ? "yes" : "no");
  printf ("cf_cv_good_bcopy=%s\n", bears_overlap (1) ? "yes" : "no");
  volatile int upper = 'C', lower = 'z';
  printf ("ol_cv_c_upper_lower=%s\n", toupper (upper) == 'C' ? "no" : "yes");
  printf ("vim_cv_toupper_broken=%s\n", toupper (upper) == 'C' && tolower (lower) == 'z' ? "no" : "yes");
  printf ("ac_cv_func_strncmp_works=%s\n", strncmp_stays_inside () ? "yes" : "no");
  return 0;
}
