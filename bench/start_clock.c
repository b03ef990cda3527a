/*
 * How long a program takes from exec on, in microseconds.
 *
 * Usage: start_clock answer PORT COMMAND [ARGUMENT...]
 *        start_clock end COMMAND [ARGUMENT...]
 *
 * "answer" is for a server, to its first answer: it tries to connect until it
 * is accepted and a line has come back, and then ends the server. "end" is for
 * any other program, to its end. What the program prints is thrown away.
 *
 * In C, because starting a process from a large runtime takes a good part of
 * the time to be measured.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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

static volatile pid_t server; /* or the other program */

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

static void start(char *const command[])
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int failure;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
		O_WRONLY, 0);
	failure = posix_spawn(&pid, command[0], &actions, NULL, command,
		environ);
	if (failure != 0) {
		fprintf(stderr, "%s: %s\n", command[0], strerror(failure));
		exit(1);
	}
	server = pid;
}

/* Returns when it has answered. */
static void await_answer(int port, uint64_t until)
{
	while (!is_answered(port)) {
		if (has_ended()) {
			fprintf(stderr, "the server ended before it answered\n");
			exit(1);
		}
		if (now_us() >= until) {
			fprintf(stderr, "no answer in %d seconds\n",
				PATIENCE_SECONDS);
			end_server();
			exit(1);
		}
		pause_briefly();
	}
}

static void await_end(void)
{
	int status;

	if (waitpid(server, &status, 0) != server)
		die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "the program failed\n");
		exit(1);
	}
}

int main(int argc, char *argv[])
{
	const struct sigaction stopping = { .sa_handler = stop };
	const bool is_server = argc >= 4 && strcmp(argv[1], "answer") == 0;
	uint64_t began, ended;

	if (!is_server && (argc < 3 || strcmp(argv[1], "end") != 0)) {
		fprintf(stderr, "usage: start_clock answer PORT COMMAND...\n"
			"       start_clock end COMMAND...\n");
		return 64;
	}
	sigaction(SIGTERM, &stopping, NULL);
	sigaction(SIGINT, &stopping, NULL);

	began = now_us();
	start(argv + (is_server ? 3 : 2));
	if (is_server)
		await_answer(atoi(argv[2]),
			began + PATIENCE_SECONDS * 1000000u);
	else
		await_end();
	ended = now_us();
	if (is_server)
		end_server();
	printf("%llu\n", (unsigned long long)(ended - began));
	return 0;
}
