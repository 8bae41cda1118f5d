/* Does posix_spawn open the files it is told to and say so when the program is missing, does it refuse a script without an interpreter,
   and do its lists of actions refuse descriptors out of range?

   Asked by gnulib's posix_spawn.m4; where the answer is no, the functions are replaced.  */

#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
exit_code (pid_t child)
{
  int status;
  return waitpid (child, &status, 0) == child && WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

/* A program that is not there: an error, or a child that ends with 127.  Nothing that was to be written is to be written twice.  */
static int
misses_a_program (void)
{
  static char program[] = "/non/exist/ent";
  char *arguments[] = { program, NULL };
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t mask;
  pid_t child;
  int ends[2];
  sigprocmask (SIG_SETMASK, NULL, &mask);
  if (pipe (ends) != 0 || posix_spawn_file_actions_init (&actions) != 0 || posix_spawnattr_init (&attributes) != 0
      || posix_spawn_file_actions_adddup2 (&actions, ends[0], 0) != 0 || posix_spawn_file_actions_addclose (&actions, ends[0]) != 0
      || posix_spawn_file_actions_addclose (&actions, ends[1]) != 0 || posix_spawnattr_setsigmask (&attributes, &mask) != 0
      || posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSIGMASK) != 0)
    return 0;
  int error = posix_spawnp (&child, program, &actions, &attributes, arguments, environ);
  return error == ENOENT || (error == 0 && exit_code (child) == 127);
}

/* A file of a name that a shell would take apart, opened as standard input.  The shell of the machine reads it: it is there on every
   machine that configures.  */
static int
opens_odd_names (void)
{
  static char shell[] = "/bin/sh";
  static const char name[] = "file%=*#?";
  char *arguments[] = { shell, NULL };
  posix_spawn_file_actions_t actions;
  pid_t child;
  FILE *file = fopen (name, "w");
  if (!file || fputs ("exit 42\n", file) < 0 || fclose (file) != 0 || posix_spawn_file_actions_init (&actions) != 0)
    return 0;
  int works = posix_spawn_file_actions_addopen (&actions, 0, name, O_RDONLY, 0600) == 0
    && posix_spawn (&child, shell, &actions, NULL, arguments, environ) == 0 && exit_code (child) == 42;
  unlink (name);
  return works;
}

static int
refuses_scripts (int with_path)
{
  static char script[] = "./script", path[] = "PATH=.";
  char *arguments[] = { script, NULL }, *environment[] = { path, NULL };
  pid_t child;
  FILE *file = fopen (script, "w");
  if (!file || fputs (":\n", file) < 0 || fclose (file) != 0 || chmod (script, 0700) != 0)
    return 0;
  int error = with_path ? posix_spawnp (&child, script, NULL, NULL, arguments, environment)
    : posix_spawn (&child, script, NULL, NULL, arguments, environment);
  int refused = error == ENOEXEC || (error == 0 && exit_code (child) == 127);
  unlink (script);
  return refused;
}

int
main (void)
{
  posix_spawn_file_actions_t actions;
  say ("gl_cv_func_posix_spawn_works", misses_a_program () && opens_odd_names ());
  say ("gl_cv_func_posix_spawn_secure_exec", refuses_scripts (0));
  say ("gl_cv_func_posix_spawnp_secure_exec", refuses_scripts (1));
  if (posix_spawn_file_actions_init (&actions) != 0)
    return 1;
  say ("gl_cv_func_posix_spawn_file_actions_addclose_works", posix_spawn_file_actions_addclose (&actions, -5) != 0);
  say ("gl_cv_func_posix_spawn_file_actions_adddup2_works", posix_spawn_file_actions_adddup2 (&actions, 10000000, 2) != 0);
  say ("gl_cv_func_posix_spawn_file_actions_addopen_works",
       posix_spawn_file_actions_addopen (&actions, 10000000, "foo", 0, O_RDONLY) != 0);
  return 0;
}
