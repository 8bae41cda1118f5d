/* Are there functions of other systems: chflags and lchflags (BSD; glibc has one that always fails), memset_s (C11, Annex K),
   strnstr (BSD)?  And does a weak symbol work?

   Asked by CPython, apr-util and Squid, which run a program that calls them and take the answer no when it cannot even be linked.  */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

typedef int change_flags (const char *, unsigned long);

static int
changes_flags (const char *function, const char *file)
{
  change_flags *found;
  *(void **) &found = dlsym (RTLD_DEFAULT, function);
  return found && found (file, 0) == 0;
}

__attribute__ ((weak)) int
defined_weakly (void)
{
  return 0;
}

int
main (int argc, char **argv)
{
  const char *own = argc > 0 ? argv[0] : ".";
  printf ("ac_cv_have_chflags=%s\n", changes_flags ("chflags", own) ? "yes" : "no");
  printf ("ac_cv_have_lchflags=%s\n", changes_flags ("lchflags", own) ? "yes" : "no");
  printf ("apu_cv_memset_s=%s\n", dlsym (RTLD_DEFAULT, "memset_s") ? "yes" : "no");
  printf ("squid_cv_func_strnstr=%s\n", dlsym (RTLD_DEFAULT, "strnstr") ? "yes" : "no");
  printf ("apu_cv_weak_symbols=%s\n", defined_weakly () == 0 ? "yes" : "no");
  return 0;
}
