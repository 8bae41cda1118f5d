/* What hard and symbolic links do: can a file have a second name, can a symbolic link, does chown go through a symbolic link, and
   does stat see through a slash after the name of a file?

   Asked by zsh, rsync (chown and links in configure.ac), ncurses (CF_LINK_FUNCS) and Vim.  rsync keeps hard links between symbolic
   links where the kernel makes them; ncurses links the second names of a terminal.  */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int
main (void)
{
  struct stat seen;
  close (creat ("file", 0644));
  int hard = link ("file", "hard") == 0 && stat ("hard", &seen) == 0;
  int soft = symlink ("file", "soft") == 0 && stat ("soft", &seen) == 0;
  int ignores_slash = stat ("file/", &seen) == 0;
  int dangles = symlink ("nowhere", "dangling") == 0;
  int changes_link = dangles && !(chown ("dangling", getuid (), getgid ()) < 0 && errno == ENOENT);
  int links_link = dangles && linkat (AT_FDCWD, "dangling", AT_FDCWD, "dangling2", 0) == 0;
  unlink ("file");
  unlink ("hard");
  unlink ("soft");
  unlink ("dangling");
  unlink ("dangling2");

  printf ("zsh_cv_sys_link=%s\n", hard ? "yes" : "no");
  if (hard || soft)
    printf ("cf_cv_link_funcs=%s%s\n", hard ? " link" : "", soft ? " symlink" : "");
  else
    puts ("cf_cv_link_funcs=no");
  printf ("vim_cv_stat_ignores_slash=%s\n", ignores_slash ? "yes" : "no");
  printf ("rsync_cv_chown_modifies_symlink=%s\n", changes_link ? "yes" : "no");
  printf ("rsync_cv_can_hardlink_symlink=%s\n", links_link ? "yes" : "no");
  return 0;
}
