/* What sockets can do: pairs, flags at their making, accept4, TCP_NODELAY with TCP_CORK, and what an accepted socket takes over
   from the one that listens.  All within the loopback interface.

   Asked by apr (APR_CHECK_TCP_NODELAY_INHERITED, APR_CHECK_O_NONBLOCK_INHERITED, APR_CHECK_TCP_NODELAY_WITH_CORK) and rsync.  Linux
   hands TCP_NODELAY on, but not O_NONBLOCK; apr's default when it cannot run says both.  */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int
set (int fd, int option)
{
  int on = 1;
  return setsockopt (fd, IPPROTO_TCP, option, &on, sizeof on) == 0;
}

int
main (void)
{
  int pair[2];
  printf ("rsync_cv_HAVE_SOCKETPAIR=%s\n", socketpair (AF_UNIX, SOCK_STREAM, 0, pair) == 0 ? "yes" : "no");
  int flagged = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  printf ("apr_cv_sock_cloexec=%s\n", flagged >= 0 ? "yes" : "no");
  int both = set (flagged, TCP_NODELAY) && set (flagged, TCP_CORK);
  printf ("apr_cv_tcp_nodelay_with_cork=%s\n", both ? "yes" : "no");

  struct sockaddr_in address = { .sin_family = AF_INET };
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  int listening = socket (AF_INET, SOCK_STREAM, 0);
  set (listening, TCP_NODELAY);
  if (bind (listening, (struct sockaddr *) &address, sizeof address) != 0 || listen (listening, 4) != 0
      || getsockname (listening, (struct sockaddr *) &address, &length) != 0)
    return 1;
  fcntl (listening, F_SETFL, fcntl (listening, F_GETFL) | O_NONBLOCK);

  errno = 0;
  int none = accept4 (listening, NULL, NULL, SOCK_NONBLOCK);
  printf ("apr_cv_accept4=%s\n", none >= 0 || errno == EAGAIN || errno == EWOULDBLOCK ? "yes" : "no");

  int client = socket (AF_INET, SOCK_STREAM, 0);
  if (connect (client, (struct sockaddr *) &address, sizeof address) != 0)
    return 1;
  int accepted = accept (listening, NULL, NULL);
  if (accepted < 0)
    return 1;
  int no_delay = 0;
  length = sizeof no_delay;
  getsockopt (accepted, IPPROTO_TCP, TCP_NODELAY, &no_delay, &length);
  int no_wait = (fcntl (accepted, F_GETFL) & O_NONBLOCK) != 0;
  printf ("ac_cv_tcp_nodelay_inherited=%s\n", no_delay ? "yes" : "no");
  printf ("ac_cv_o_nonblock_inherited=%s\n", no_wait ? "yes" : "no");
  return 0;
}
