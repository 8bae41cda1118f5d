/* Are threads in the C library itself, so that no option is needed; are they scheduled by the kernel; may a thread's process fork;
   does select in one thread let the others run; and which kinds of mutex are there?

   Asked by CPython, apr (APR_PTHREADS_CHECK, APR_CHECK_PTHREAD_RECURSIVE_MUTEX), Ruby and OpenLDAP.  CPython tries
   -Kpthread, -Kthread and -pthread one after the other where no option is not the answer; apr takes the first of a list of options
   and of libraries that works.  Threads came into glibc's libc.so with 2.34; musl always had them there.  */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *
nothing (void *argument)
{
  return argument;
}

static int
thread_runs (const pthread_attr_t *attributes)
{
  pthread_t thread;
  return pthread_create (&thread, attributes, nothing, NULL) == 0 && pthread_join (thread, NULL) == 0;
}

/* Are two functions in the same object?  Of a static program they are.  */
static int
together (const char *one, const char *other)
{
  Dl_info first, second;
  void *one_place = dlsym (RTLD_DEFAULT, one), *other_place = dlsym (RTLD_DEFAULT, other);
  if (one_place == NULL || other_place == NULL || !dladdr (one_place, &first) || !dladdr (other_place, &second))
    return one_place == other_place;
  return first.dli_fbase == second.dli_fbase;
}

static int pipes[2];

static void *
waits_in_select (void *argument)
{
  fd_set set;
  struct timeval long_time = { .tv_sec = 10 };
  FD_ZERO (&set);
  FD_SET (pipes[0], &set);
  select (pipes[0] + 1, &set, NULL, NULL, &long_time);
  return argument;
}

/* The other thread sits in select until this one has written, which it can only do if it runs.  */
static int
select_lets_others_run (void)
{
  pthread_t thread;
  struct timespec pause = { .tv_nsec = 20000000 };
  if (pipe (pipes) != 0 || pthread_create (&thread, NULL, waits_in_select, NULL) != 0)
    return 0;
  nanosleep (&pause, NULL);
  time_t before = time (NULL);
  int written = write (pipes[1], "x", 1) == 1;
  pthread_join (thread, NULL);
  return written && time (NULL) - before < 5;
}

static int
mutex_can_be (int type, int shared)
{
  pthread_mutex_t mutex;
  pthread_mutexattr_t attributes;
  return pthread_mutexattr_init (&attributes) == 0
         && (!type || pthread_mutexattr_settype (&attributes, type) == 0)
         && (!shared || pthread_mutexattr_setpshared (&attributes, PTHREAD_PROCESS_SHARED) == 0)
         && pthread_mutex_init (&mutex, &attributes) == 0
         && pthread_mutexattr_destroy (&attributes) == 0
         && pthread_mutex_destroy (&mutex) == 0;
}

int
main (void)
{
  int runs = thread_runs (NULL);
  int in_libc = runs && together ("pthread_create", "printf");
  printf ("ac_cv_pthread_is_default=%s\n", in_libc ? "yes" : "no");
  printf ("apr_cv_pthreads_cflags=%s\n", in_libc ? "none" : "-pthread");
  printf ("apr_cv_pthreads_lib=%s\n", runs ? "-lpthread" : "");
  printf ("ol_cv_pthread_create_works=%s\n", runs ? "yes" : "no");
  /* What CPython stores without a further test when the first answer is yes.  */
  printf ("ac_cv_pthread=%s\n", in_libc ? "no" : "unknown");
  printf ("ac_cv_kthread=%s\n", in_libc ? "no" : "unknown");

  pthread_attr_t attributes;
  pthread_attr_init (&attributes);
  int system = pthread_attr_setscope (&attributes, PTHREAD_SCOPE_SYSTEM) == 0 && thread_runs (&attributes);
  printf ("ac_cv_pthread_system_supported=%s\n", system ? "yes" : "no");
  printf ("apr_cv_mutex_recursive=%s\n", mutex_can_be (PTHREAD_MUTEX_RECURSIVE, 0) ? "yes" : "no");
  printf ("apr_cv_process_shared_works=%s\n", mutex_can_be (0, 1) ? "yes" : "no");
  printf ("ol_cv_pthread_select_yields=%s\n", select_lets_others_run () ? "yes" : "no");
  fflush (stdout);

  int status = -1;
  pid_t child = fork ();
  if (child == 0)
    _exit (thread_runs (NULL) ? 0 : 1);
  waitpid (child, &status, 0);
  printf ("rb_cv_fork_with_pthread=%s\n", status == 0 ? "yes" : "no");
  return 0;
}
