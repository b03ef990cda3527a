/*
 * How long a server takes from exec to its first answer: starts it, tries to
 * connect until it is accepted and a line has come back, prints the time in
 * microseconds, and ends it.
 *
 * Usage: start_clock PORT COMMAND [ARGUMENT...]
 *
 * In C, because starting a process from a large runtime takes a good part of
 * the time to be measured.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 10

extern char **environ;

static volatile pid_t server;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_nsec / 1000u;
}

/*
 * Short enough to lose nothing that is worth a figure, long enough to leave
 * the processor to the server that is starting.
 */
static void pause_briefly(void)
{
	const struct timespec time = { .tv_nsec = 100000 };

	nanosleep(&time, NULL);
}

static bool is_answered(int port)
{
	static const char line[] = "the first line\n";
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	char echo[sizeof line];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answered = false;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
		send(fd, line, sizeof line, MSG_NOSIGNAL) == sizeof line)
		answered = recv(fd, echo, sizeof echo, MSG_WAITALL) ==
			sizeof echo && memcmp(line, echo, sizeof line) == 0;
	close(fd);
	return answered;
}

static bool has_ended(void)
{
	return waitpid(server, NULL, WNOHANG) == server;
}

static void end_server(void)
{
	const uint64_t until = now_us() + PATIENCE_SECONDS * 1000000u;

	kill(server, SIGTERM);
	while (!has_ended()) {
		if (now_us() >= until)
			kill(server, SIGKILL);
		pause_briefly();
	}
}

static void stop(int signal_number)
{
	if (server > 0)
		kill(server, SIGKILL);
	_exit(128 + signal_number);
}

int main(int argc, char *argv[])
{
	const struct sigaction stopping = { .sa_handler = stop };
	uint64_t start, end;
	pid_t pid;
	int failure;

	if (argc < 3) {
		fprintf(stderr, "usage: start_clock PORT COMMAND...\n");
		return 64;
	}
	sigaction(SIGTERM, &stopping, NULL);
	sigaction(SIGINT, &stopping, NULL);

	start = now_us();
	failure = posix_spawn(&pid, argv[2], NULL, NULL, argv + 2, environ);
	if (failure != 0) {
		fprintf(stderr, "%s: %s\n", argv[2], strerror(failure));
		return 1;
	}
	server = pid;
	while (!is_answered(atoi(argv[1]))) {
		if (has_ended()) {
			fprintf(stderr, "the server ended before it answered\n");
			return 1;
		}
		if (now_us() - start >= PATIENCE_SECONDS * 1000000u) {
			fprintf(stderr, "no answer in %d seconds\n",
				PATIENCE_SECONDS);
			end_server();
			return 1;
		}
		pause_briefly();
	}
	end = now_us();
	end_server();
	printf("%llu\n", (unsigned long long)(end - start));
	return 0;
}
