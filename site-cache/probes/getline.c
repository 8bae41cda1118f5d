/* Do getline and getdelim allocate the line themselves, also when they are given no buffer but a size?

   Asked by gnulib's getline.m4 and getdelim.m4; where the answer is no, the functions are replaced.  */

#define _GNU_SOURCE 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main (void)
{
  FILE *f = fopen ("lines", "w");
  if (!f || fputs ("first\nsecond\nthird\nfourth\n", f) < 0 || fclose (f) != 0)
    return 1;
  f = fopen ("lines", "r");
  if (!f)
    return 1;

  char *line = NULL;
  size_t size = 0;
  int getline_works = getline (&line, &size, f) == 6 && line && strcmp (line, "first\n") == 0;
  line = NULL;
  size = (size_t) -1 / 4;
  getline_works &= getline (&line, &size, f) != -1;

  line = NULL;
  size = 0;
  int getdelim_works = getdelim (&line, &size, '\n', f) == 6 && line && strcmp (line, "third\n") == 0;
  line = NULL;
  size = (size_t) -1 / 4;
  getdelim_works &= getdelim (&line, &size, '\n', f) != -1;

  printf ("am_cv_func_working_getline=%s\n", getline_works ? "yes" : "no");
  printf ("gl_cv_func_working_getdelim=%s\n", getdelim_works ? "yes" : "no");
  fclose (f);
  remove ("lines");
  return 0;
}
