/* Do strerror, strerror_r, strsignal and perror have something to say of every number, and is error 0 no error?

   Asked by gnulib's strerror.m4, strerror_r.m4, strsignal.m4 and perror.m4; where the answer is no, the function is replaced.  */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* POSIX's strerror_r is under another name in the GNU C library when its extensions are asked for; here they are not.  */
#ifdef __GLIBC__
extern int __xpg_strerror_r (int, char *, size_t);
#define posix_strerror_r __xpg_strerror_r
#else
extern int strerror_r (int, char *, size_t);
#define posix_strerror_r strerror_r
#endif
extern char *strsignal (int);

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
is_unknown (const char *text)
{
  return strstr (text, "nknown") || strstr (text, "ndefined");
}

static int
strerror_r_works (void)
{
  char text[79];
  int works = posix_strerror_r (EACCES, text, 0) >= 0;
  errno = 0;
  works &= posix_strerror_r (EACCES, text, sizeof text) == 0;
  works &= posix_strerror_r (0, text, sizeof text) == 0 && errno == 0 && !is_unknown (text);
  *text = '\0';
  return works && posix_strerror_r (-3, text, sizeof text) >= 0 && errno == 0 && *text;
}

/* What perror writes of an unknown error is what strerror says of it.  */
static int
perror_works (void)
{
  char expected[200], written[200] = "";
  snprintf (expected, sizeof expected, "%s\n", strerror (-1));
  int kept = dup (2);
  int file = open ("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
  dup2 (file, 2);
  errno = -1;
  perror ("");
  dup2 (kept, 2);
  ssize_t length = pread (file, written, sizeof written - 1, 0);
  close (file);
  unlink ("file");
  return length > 0 && strcmp (written, expected) == 0;
}

int
main (void)
{
  errno = 0;
  const char *none = strerror (0);
  say ("gl_cv_func_strerror_0_works", *none && errno == 0 && !is_unknown (none));
  say ("gl_cv_func_working_strerror", *strerror (-2) != '\0');
  say ("gl_cv_func_strerror_r_works", strerror_r_works ());
  char *text = strsignal (-1);
  say ("gl_cv_func_working_strsignal", text && text != (char *) -1);
  say ("gl_cv_func_perror_works", perror_works ());
  return 0;
}
