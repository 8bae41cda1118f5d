/* Does getpwnam find users who are not there?

   Asked by zsh, for systems of one user, which give that one for any name.  */

#include <pwd.h>
#include <stdio.h>
#include <string.h>

int
main (void)
{
  char name[64] = "";
  struct passwd *one = getpwnam ("no:such:user");
  if (one)
    snprintf (name, sizeof name, "%s", one->pw_name);
  struct passwd *other = getpwnam ("nor:such:a:one");
  printf ("zsh_cv_sys_getpwnam_faked=%s\n", one && other && strcmp (name, other->pw_name) == 0 ? "yes" : "no");
  return 0;
}
