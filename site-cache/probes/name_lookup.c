/* Does getaddrinfo give the addresses that it should, for numbers, for no host at all and for localhost, does getnameinfo write
   them, and are the error codes negative?

   Asked by CPython, which has no IPv6 where getaddrinfo is buggy and whose configure then ends with an error, and by apr
   (APR_CHECK_WORKING_GETADDRINFO, APR_CHECK_WORKING_GETNAMEINFO, APR_CHECK_NEGATIVE_EAI, APR_CHECK_GETADDRINFO_ADDRCONFIG).  No name
   server is asked: localhost is in /etc/hosts.  */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Are all addresses for no host the ones of the loopback interface, or, to listen on, of any?  Each family has one or none.  */
static int
local_addresses_are_right (int flags)
{
  struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP, .ai_flags = flags };
  struct addrinfo *found;
  int four = 0, six = 0, right = 1;
  if (getaddrinfo (NULL, "12345", &hints, &found) != 0)
    return 0;
  for (struct addrinfo *one = found; one; one = one->ai_next)
    {
      char host[INET6_ADDRSTRLEN], port[16];
      const char *expected = one->ai_family == AF_INET ? (flags ? "0.0.0.0" : "127.0.0.1") : (flags ? "::" : "::1");
      if (getnameinfo (one->ai_addr, one->ai_addrlen, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return 0;
      right = right && strcmp (host, expected) == 0 && strcmp (port, "12345") == 0;
      four += one->ai_family == AF_INET;
      six += one->ai_family == AF_INET6;
    }
  freeaddrinfo (found);
  return right && four <= 1 && six <= 1 && four + six > 0;
}

int
main (void)
{
  int right = local_addresses_are_right (0) && local_addresses_are_right (AI_PASSIVE);
  printf ("ac_cv_buggy_getaddrinfo=%s\n", right ? "no" : "yes");

  struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
  int number = getaddrinfo ("127.0.0.1", NULL, &hints, &found) == 0 && found->ai_addr->sa_family == AF_INET;
  printf ("ac_cv_working_getaddrinfo=%s\n", number ? "yes" : "no");

  hints = (struct addrinfo) { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
  printf ("apr_cv_gai_addrconfig=%s\n", getaddrinfo ("localhost", NULL, &hints, &found) == 0 ? "yes" : "no");

  struct sockaddr_in address = { .sin_family = AF_INET };
  char host[256];
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  int named = getnameinfo ((struct sockaddr *) &address, sizeof address, host, sizeof host, NULL, 0, NI_NUMERICHOST) == 0;
  printf ("ac_cv_working_getnameinfo=%s\n", named ? "yes" : "no");
  printf ("ac_cv_negative_eai=%s\n", EAI_ADDRFAMILY < 0 ? "yes" : "no");
  return 0;
}
