/* Does getenv give the same place each time, and does putenv keep the caller's string rather than a copy?

   Asked by ncurses (CF_CONSISTENT_GETENV), which keeps such pointers, and by Tcl, which frees the string where it was copied.  */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main (void)
{
  enum { variables = 20 };
  char *places[variables], name[32], value[32];
  int same = 1;
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < variables; i++)
      {
        snprintf (name, sizeof name, "PROBE_%d", i);
        snprintf (value, sizeof value, "value %d", i);
        if (round == 0)
          {
            setenv (name, value, 1);
            continue;
          }
        char *place = getenv (name);
        if (round == 1)
          places[i] = place;
        same = same && place && place == places[i] && strcmp (place, value) == 0;
        for (int other = 0; round == 2 && other < i; other++)
          same = same && places[other] != place;
      }
  printf ("cf_cv_consistent_getenv=%s\n", same ? "yes" : "no");

  static char assignment[] = "PROBE=copied";
  putenv (assignment);
  memcpy (assignment + 6, "shared", 6);
  char *seen = getenv ("PROBE");
  printf ("tcl_cv_putenv_copy=%s\n", seen && strcmp (seen, "shared") == 0 ? "no" : "yes");
  return 0;
}
