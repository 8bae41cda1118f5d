/* Does a lock prefer a waiting writer to a new reader, and do C11's threads give their result?

   Asked by gnulib's pthread_rwlock_rdlock.m4 and threads_h.m4.  */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <threads.h>
#include <unistd.h>

static pthread_rwlock_t lock;

static void *
write_lock (void *unused)
{
  pthread_rwlock_wrlock (&lock);
  pthread_rwlock_unlock (&lock);
  return unused;
}

/* With a reader in the lock and a writer before it, a second reader comes: is it let in?  */
static int
prefers_writers (void)
{
  pthread_t writer;
  if (pthread_rwlock_init (&lock, NULL) != 0 || pthread_rwlock_rdlock (&lock) != 0 || pthread_create (&writer, NULL, write_lock, NULL) != 0)
    return 0;
  /* Until the writer waits.  */
  usleep (200000);
  int let_in = pthread_rwlock_tryrdlock (&lock);
  if (let_in == 0)
    pthread_rwlock_unlock (&lock);
  pthread_rwlock_unlock (&lock);
  pthread_join (writer, NULL);
  return let_in == EBUSY;
}

enum { RESULT = 1266074729 };

static int
give_result (void *unused)
{
  (void) unused;
  return RESULT;
}

int
main (void)
{
  thrd_t thread;
  int result = 0;
  int joins = thrd_create (&thread, give_result, NULL) == thrd_success && thrd_join (thread, &result) == thrd_success && result == RESULT;
  printf ("gl_cv_func_thrd_join_works=%s\n", joins ? "yes" : "no");
  printf ("gl_cv_pthread_rwlock_rdlock_prefer_writer=%s\n", prefers_writers () ? "yes" : "no");
  return 0;
}
