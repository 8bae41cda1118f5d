/* Does tzset take a rule of the POSIX form from TZ, also south of the equator, do times before 1970 work, and is a time that is
   too far away refused rather than mistaken?

   Asked by CPython, which has time.tzset only where the answer is yes, and by Ruby, which calculates by itself otherwise.  */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The hour of a moment, and its zone's name.  */
static int
shows (const char *rule, time_t moment, int hour, const char *zone)
{
  setenv ("TZ", rule, 1);
  tzset ();
  struct tm *local = localtime (&moment);
  return local && local->tm_hour == hour && strcmp (local->tm_zone, zone) == 0;
}

int
main (void)
{
  time_t february = 1044144000, august = february + 182 * 24 * 3600 + 12 * 3600;
  int works = shows ("UTC+0", february, 0, "UTC") && shows ("EST+5EDT,M4.1.0,M10.5.0", february, 19, "EST")
              && shows ("AEST-10AEDT-11,M10.5.0,M3.5.0", february, 11, "AEDT")
              && shows ("AEST-10AEDT-11,M10.5.0,M3.5.0", august, 22, "AEST");
  printf ("ac_cv_working_tzset=%s\n", works ? "yes" : "no");

  time_t second_before = -1, first_of_32_bits = (time_t) -2147483647 - 1;
  struct tm *old = gmtime (&second_before);
  int negative = old && old->tm_year == 69 && old->tm_mon == 11 && old->tm_mday == 31 && old->tm_sec == 59;
  old = gmtime (&first_of_32_bits);
  negative = negative && old && old->tm_year == 1 && old->tm_mon == 11 && old->tm_mday == 13 && old->tm_sec == 52;
  printf ("rb_cv_negative_time_t=%s\n", negative ? "yes" : "no");

  /* The last moment that the type has: its year does not fit into an int when the type has 64 bits.  */
  unsetenv ("TZ");
  time_t last = (time_t) 1 << (sizeof last * 8 - 2);
  last |= last - 1;
  struct tm *local = localtime (&last);
  printf ("rb_cv_localtime_overflow=%s\n", local == NULL || mktime (local) == last ? "yes" : "no");
  return 0;
}
