/* Does getcwd name a directory whose name is longer than PATH_MAX?

   Asked by gnulib's getcwd-abort-bug.m4 (five kilobytes deep, on systems with pages larger than PATH_MAX) and getcwd-path-max.m4
   (three times PATH_MAX deep).  Where the answer is not yes, getcwd is replaced.  The kernel names directories up to a page only;
   above that the GNU C library walks up to the root itself.  QEMU's -L shows it another directory as the root, which it never meets:
   then nothing is said.  */

#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char step[] = "deeper";

static char room[4 * PATH_MAX];

/* The value for a directory of more than LENGTH bytes below the working directory.  */
static const char *
judge (size_t length)
{
  const char *value = "yes";
  size_t depth = 0, start = strlen (getcwd (room, sizeof room)), whole = start;
  while (whole - start < length)
    {
      if (mkdir (step, 0700) != 0 || chdir (step) != 0)
        {
          if (errno != ERANGE && errno != ENAMETOOLONG && errno != EINVAL)
            value = "no";
          break;
        }
      depth++;
      whole += sizeof step;
      if (whole >= PATH_MAX && whole < PATH_MAX + sizeof step)
        {
          /* A buffer that is too small, exactly at the limit.  */
          char *name = getcwd (room, PATH_MAX);
          if (name)
            value = "no, it has the AIX bug";
          else if (errno == ENOENT)
            value = "no, but it is partly working";
          else if (errno != ERANGE && errno != ENAMETOOLONG)
            value = "no";
          if (strcmp (value, "yes") != 0)
            break;
        }
    }
  if (strcmp (value, "yes") == 0)
    {
      char *name = getcwd (room, whole + 1);
      if (!name)
        value = errno == ERANGE || errno == ENOENT || errno == ENAMETOOLONG ? "no, but it is partly working" : "no";
      else if (strlen (name) != whole)
        value = "no";
    }
  rmdir (step);
  while (depth-- > 0)
    if (chdir ("..") != 0 || rmdir (step) != 0)
      break;
  return value;
}

static const char *
judge_abort (void)
{
  if (sysconf (_SC_PAGESIZE) <= PATH_MAX)
    return "yes";
  return strcmp (judge (5 * 1024), "yes") == 0 ? "yes" : "no";
}

/* The directory above the root is the root.  */
static int
sees_the_root (void)
{
  struct stat root, above;
  return stat ("/", &root) == 0 && stat ("/..", &above) == 0 && root.st_ino == above.st_ino && root.st_dev == above.st_dev;
}

int
main (void)
{
  if (!sees_the_root ())
    return 0;
  printf ("gl_cv_func_getcwd_succeeds_beyond_4k=%s\n", judge_abort ());
  printf ("gl_cv_func_getcwd_path_max=%s\n", judge (3 * PATH_MAX));
  return 0;
}
