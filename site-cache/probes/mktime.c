/* Does mktime undo localtime over the whole range of time_t, in several time zones, in the hour that summer time leaves out, and in
   2050?  Does localtime near the ends of its range know that there is no summer time, and does it see a change of TZ at once?

   Asked by autoconf's AC_FUNC_MKTIME and by gnulib's mktime.m4 and time_rz.m4, which replace mktime and localtime where the answer is
   no, and by coreutils' configure.ac (utils_cv_localtime_cache).  */

#define _GNU_SOURCE 1
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const time_t last = (((time_t) 1 << (sizeof (time_t) * CHAR_BIT - 2)) - 1) * 2 + 1;

static int
is_undone_once (time_t t)
{
  struct tm *local = localtime (&t);
  return !local || mktime (local) == t;
}

static int
is_undone (time_t t)
{
  return is_undone_once (t) && is_undone_once (last - t) && is_undone_once (-last - 1 + t);
}

/* Whether a date of which every field is N gives a time that localtime splits into the same fields.  */
static int
is_regular (int n)
{
  struct tm date = { .tm_sec = n, .tm_min = n, .tm_hour = n, .tm_mday = n, .tm_mon = n, .tm_year = n };
  time_t t = mktime (&date);
  if (t == (time_t) -1)
    return 1;
  struct tm *local = localtime (&t);
  return local && local->tm_year == date.tm_year && local->tm_mon == date.tm_mon && local->tm_mday == date.tm_mday
    && local->tm_hour == date.tm_hour && local->tm_min == date.tm_min && local->tm_sec == date.tm_sec
    && local->tm_yday == date.tm_yday && local->tm_wday == date.tm_wday
    && (local->tm_isdst < 0) == (date.tm_isdst < 0) && (local->tm_isdst > 0) == (date.tm_isdst > 0);
}

static int
undoes_localtime (void)
{
  static const char *const zones[] = { NULL, "GMT0", "JST-9", "EST+3EDT+2,M10.1.0/00:00:00,M2.3.0/00:00:00" };
  const time_t step = last / 997;
  int works = 1;
  for (int zone = 0; zone < 4; zone++)
    {
      if (zones[zone])
        setenv ("TZ", zones[zone], 1);
      for (time_t t = 0; works && t <= last - step; t += step)
        works = is_undone (t);
      works &= is_undone (1) && is_undone (60 * 60) && is_undone (60 * 60 * 24);
      for (unsigned n = 1; works && n <= INT_MAX; n *= 2)
        works = is_regular (n);
      works &= is_regular (INT_MAX);
    }
  return works;
}

static int
knows_the_gap (void)
{
  struct tm date = { .tm_hour = 2, .tm_mday = 5, .tm_mon = 3, .tm_year = 98, .tm_isdst = -1 };
  setenv ("TZ", "PST8PDT,M4.1.0,M10.5.0", 1);
  return mktime (&date) != (time_t) -1;
}

static int
knows_2050 (void)
{
  struct tm date = { .tm_mday = 1, .tm_mon = 1, .tm_year = 150, .tm_isdst = -1 };
  setenv ("TZ", "PST8PDT,M4.1.0,M10.5.0", 1);
  time_t t = mktime (&date);
  const long long expected = 2527315200LL;
  return t == (time_t) -1 || (t > 0 && t >= expected - 120 && t <= expected + 120);
}

/* Where the rules of places are installed: summer time asked for on a day before it began there.  */
static int
knows_indianapolis (void)
{
  struct tm winter = { .tm_sec = 50, .tm_min = 24, .tm_hour = 16, .tm_mday = 28, .tm_mon = 3, .tm_year = 86, .tm_isdst = 0 };
  setenv ("TZ", "America/Indiana/Indianapolis", 1);
  time_t standard = mktime (&winter);
  if (standard != 515107490 && standard != 515107503)
    return 1;
  winter.tm_isdst = 1;
  return standard - mktime (&winter) == 60 * 60;
}

/* AC_FUNC_MKTIME of old asked whether day 0 is the last day of the month before.  */
static int
knows_day_0 (void)
{
  struct tm date = { .tm_mon = 3, .tm_year = 96, .tm_isdst = -1 };
  mktime (&date);
  return date.tm_mon == 2 && date.tm_mday == 31;
}

static int
knows_the_ends (void)
{
  setenv ("TZ", "QQQ0", 1);
  time_t t = (time_t) -67768038400666600LL;
  struct tm *local = localtime (&t);
  return !(local && local->tm_isdst);
}

static int
hour (time_t t)
{
  return localtime (&t)->tm_hour;
}

static int
keeps_the_zone (void)
{
  time_t now = time (NULL);
  setenv ("TZ", "GMT0", 1);
  int greenwich = hour (now);
  unsetenv ("TZ");
  int unset = hour (now);
  setenv ("TZ", "PST8", 1);
  if (hour (now) == greenwich)
    return 1;
  unsetenv ("TZ");
  return hour (now) != unset;
}

static void
say (const char *variable, int yes)
{
  printf ("%s=%s\n", variable, yes ? "yes" : "no");
}

int
main (void)
{
  alarm (60);
  int old = undoes_localtime () && knows_the_gap () && knows_2050 ();
  say ("ac_cv_func_working_mktime", old && knows_day_0 ());
  say ("gl_cv_func_working_mktime", old && knows_indianapolis ());
  say ("gl_cv_func_localtime_works", knows_the_ends ());
  say ("utils_cv_localtime_cache", keeps_the_zone ());
  return 0;
}
