/* Can a program open itself with dlopen and find its own functions, by their plain names?

   Asked by libtool (LT_SYS_DLOPEN_SELF) and Cyrus SASL.  Both look for a function that the linker was told to export
   (-rdynamic).  The linker exports one unasked when a shared library has the same name: that is why this program has an lfind.  */

#include <dlfcn.h>
#include <stdio.h>

/* Declared here, not by search.h, so that it may be another function.  */
extern void *lfind (void);

void *
lfind (void)
{
  return NULL;
}

int
main (void)
{
  void *self = dlopen (NULL, RTLD_LAZY);
  void *found = self ? dlsym (self, "lfind") : NULL;
  int own = found == (void *) lfind;
  printf ("lt_cv_dlopen_self=%s\n", own ? "yes" : "no");
  printf ("sasl_cv_dlsym_adds_uscore=%s\n", own && !dlsym (self, "_lfind") ? "yes" : "no");
  return 0;
}
