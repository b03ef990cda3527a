/*
 * The limit of what is possible: the least program that runs a command for
 * every connection as an unprivileged user. It has no limits, no log and no
 * configuration, and it becomes the user once, for good, which no server of
 * several users can. What a real daemon is slower than this is its own price.
 *
 * Usage: minimal_server spawn PORT USER COMMAND [ARGUMENT...]
 *        minimal_server echo PORT USER
 *
 * "echo" answers by itself, without a command: the control that shows how many
 * connections the load client can make when the server costs next to nothing.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a command has from any of the servers that are compared. */
static char path[] = "PATH=/usr/bin:/bin";
static char *const environment[] = { path, NULL };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_on(int port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
		die("setsockopt");
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
		die("bind");
	if (listen(fd, SOMAXCONN) != 0)
		die("listen");
	return fd;
}

static void become(const char *name)
{
	const struct passwd *user = getpwnam(name);

	if (user == NULL)
		die(name);
	if (setgroups(1, &user->pw_gid) != 0)
		die("setgroups");
	if (setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0)
		die("setresgid");
	if (setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
		die("setresuid");
}

static int next_connection(int listener, const sigset_t *mask_while_waiting)
{
	for (;;) {
		struct pollfd ready = { .fd = listener, .events = POLLIN };
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			return fd;
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			die("accept4");
		if (ppoll(&ready, 1, NULL, mask_while_waiting) < 0) {
			if (errno == EINTR)
				return -1;
			die("ppoll");
		}
	}
}

static void start_command(int fd, char *const command[],
	const posix_spawnattr_t *attributes)
{
	posix_spawn_file_actions_t actions;
	int target, failure;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	for (target = 0; target <= 2; target++)
		posix_spawn_file_actions_adddup2(&actions, fd, target);
	failure = posix_spawn(&pid, command[0], &actions, attributes, command,
		environment);
	posix_spawn_file_actions_destroy(&actions);
	if (failure != 0)
		fprintf(stderr, "%s: %s\n", command[0], strerror(failure));
}

static void interrupt_wait(int signal_number)
{
	(void)signal_number;
}

static void serve_with_commands(int listener, char *const command[])
{
	const struct sigaction interrupting = { .sa_handler = interrupt_wait };
	posix_spawnattr_t attributes;
	sigset_t none, child_ended;
	int fd;

	sigemptyset(&none);
	sigemptyset(&child_ended);
	sigaddset(&child_ended, SIGCHLD);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);

	/*
	 * SIGCHLD gets through only inside ppoll: a command that ends between
	 * waitpid and ppoll then still cuts the wait short.
	 */
	sigprocmask(SIG_BLOCK, &child_ended, NULL);
	sigaction(SIGCHLD, &interrupting, NULL);
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
		fd = next_connection(listener, &none);
		if (fd < 0)
			continue;
		start_command(fd, command, &attributes);
		close(fd);
	}
}

static void serve_by_itself(int listener)
{
	/* A client that never ends its line must not block the others for ever. */
	const struct timeval patience = { .tv_sec = 1 };
	char line[512];
	ssize_t got;
	int fd;

	for (;;) {
		fd = next_connection(listener, NULL);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		while ((got = recv(fd, line, sizeof line, 0)) > 0)
			if (send(fd, line, got, MSG_NOSIGNAL) != got)
				break;
		close(fd);
	}
}

int main(int argc, char *argv[])
{
	int listener;

	if (argc >= 5 && strcmp(argv[1], "spawn") == 0) {
		listener = listen_on(atoi(argv[2]));
		become(argv[3]);
		serve_with_commands(listener, argv + 4);
	} else if (argc == 4 && strcmp(argv[1], "echo") == 0) {
		listener = listen_on(atoi(argv[2]));
		become(argv[3]);
		serve_by_itself(listener);
	}
	fprintf(stderr, "usage: minimal_server spawn PORT USER COMMAND...\n"
		"       minimal_server echo PORT USER\n");
	return 64;
}
