/*
 * The load: N clients at once against a server on 127.0.0.1, each making one
 * connection after the other without a pause (a closed loop).
 *
 * A connection is: connect, send one line, say that no more will come, read
 * the echo to its end, compare it with the line, close. Its time runs from
 * connect(2) to the end of the echo, so it covers the command's start and end.
 *
 * Usage: load_client PORT CLIENTS WARM_UP_SECONDS SECONDS MAX_CONNECTIONS
 *        [DAEMON_PID]
 *
 * Prints one line of JSON. The rate counts the connections that ended within
 * the measured time; the percentiles are over those that began within it, to
 * their ends, so that a slow one is not lost because time was up. Processor
 * time is that of the measured time alone: the client's own, the daemon's, that
 * of the daemon's children which ended, and all that the machine's processors
 * were busy.
 *
 * This side ends its stream first, so the kernel keeps each connection's pair
 * of addresses here for a minute (TIME_WAIT). One source address would run out
 * of its 28,000 ports, and a close by reset would measure a path that no real
 * client takes: so the connections go out from 64 loopback addresses in turn.
 *
 * One thread with epoll, so that the client takes as little as it can of the
 * processor that it shares with the server; what it took is reported.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOURCE_ADDRESSES 64
#define DRAIN_SECONDS 10
#define ERRORS_TO_GIVE_UP 1000
#define EVENTS_AT_ONCE 64

enum phase { WARM_UP, MEASURE, DRAIN };

struct client {
	int fd; /* -1: between two connections */
	bool sent;
	bool measured; /* began within the measured time */
	uint64_t began_ns;
	size_t received;
	size_t length;
	char line[48];
	char echo[48];
};

static int epoll_fd, port;
static pid_t daemon_pid; /* 0: none */
static clockid_t daemon_clock;
static enum phase phase = WARM_UP;
static unsigned long begun, ended, errors, open_now;
static uint32_t *times_us;
static size_t times_count, times_room;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

struct processor_time {
	double client, daemon, children, machine; /* seconds */
};

static double seconds_of(clockid_t clock)
{
	struct timespec time;

	if (clock_gettime(clock, &time) != 0)
		die("the processor clock of the daemon");
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/*
 * What all processors together did not rest, and were not withheld by the host
 * of a virtual machine. The kernel adds up their rest exactly, and their work
 * by what the clock interrupt meets: so the work is what the rest leaves.
 */
static double busy_seconds(void)
{
	/* proc_stat(5): user nice system idle iowait irq softirq steal */
	uint64_t idle, waiting, stolen;
	const double ticks = (double)sysconf(_SC_CLK_TCK);
	const double processors = (double)sysconf(_SC_NPROCESSORS_ONLN);
	FILE *file = fopen("/proc/stat", "re");

	if (file == NULL)
		die("/proc/stat");
	if (fscanf(file, "cpu %*u %*u %*u %" SCNu64 " %" SCNu64
			" %*u %*u %" SCNu64, &idle, &waiting, &stolen) != 3) {
		fprintf(stderr, "/proc/stat does not begin as it should\n");
		exit(1);
	}
	fclose(file);
	return (double)now_ns() / 1e9 * processors -
		(double)(idle + waiting + stolen) / ticks;
}

/* Of the daemon's children, from fork to end, for which it has waited. */
static double children_seconds(void)
{
	const double ticks = (double)sysconf(_SC_CLK_TCK);
	char path[32], line[1024];
	const char *fields;
	int64_t user, system;
	size_t length;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)daemon_pid);
	file = fopen(path, "re");
	if (file == NULL)
		die(path);
	length = fread(line, 1, sizeof line - 1, file);
	line[length] = '\0';
	fclose(file);
	/*
	 * proc_pid_stat(5): the second field, a name in parentheses, may hold
	 * anything; the times are the 16th and 17th.
	 */
	fields = strrchr(line, ')');
	if (fields == NULL || sscanf(fields, ") %*c %*d %*d %*d %*d %*d %*u"
			" %*u %*u %*u %*u %*u %*u %" SCNd64 " %" SCNd64,
			&user, &system) != 2) {
		fprintf(stderr, "%s is not as it should be\n", path);
		exit(1);
	}
	return (double)(user + system) / ticks;
}

static struct processor_time read_processor_time(void)
{
	const struct processor_time time = {
		.client = seconds_of(CLOCK_PROCESS_CPUTIME_ID),
		.daemon = daemon_pid > 0 ? seconds_of(daemon_clock) : 0,
		.children = daemon_pid > 0 ? children_seconds() : 0,
		.machine = busy_seconds(),
	};

	return time;
}

static void keep_time(uint64_t ns)
{
	if (times_count == times_room) {
		times_room = times_room == 0 ? 65536 : times_room * 2;
		times_us = realloc(times_us, times_room * sizeof *times_us);
		if (times_us == NULL)
			die("realloc");
	}
	times_us[times_count++] = (uint32_t)(ns / 1000);
}

static void end(struct client *client)
{
	close(client->fd); /* leaves the epoll set as well: it has no copy */
	client->fd = -1;
	open_now--;
}

/* The first reason is told in full; more of them are only counted. */
static void fail(struct client *client, const char *what)
{
	if (errors++ == 0)
		fprintf(stderr, "first error: %s: %s\n", what,
			errno == 0 ? "not as sent" : strerror(errno));
	end(client);
}

static void succeed(struct client *client)
{
	if (client->measured)
		keep_time(now_ns() - client->began_ns);
	if (phase == MEASURE)
		ended++;
	end(client);
}

static void watch(struct client *client, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	if (epoll_ctl(epoll_fd, operation, client->fd, &event) != 0)
		die("epoll_ctl");
}

/* Whether the line is out. Not so as yet (EAGAIN) while connect is under way. */
static bool send_line(struct client *client)
{
	ssize_t sent = send(client->fd, client->line, client->length,
		MSG_NOSIGNAL);

	if (sent != (ssize_t)client->length)
		return false;
	client->sent = true;
	shutdown(client->fd, SHUT_WR);
	return true;
}

static void begin(struct client *client)
{
	const struct sockaddr_in server = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct sockaddr_in source = {
		.sin_family = AF_INET,
		/* From 127.0.0.2 up: 127.0.0.1 is the server's. */
		.sin_addr.s_addr =
			htonl(INADDR_LOOPBACK + 1 + begun % SOURCE_ADDRESSES),
	};
	const int on = 1;

	client->fd = socket(AF_INET,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		die("socket");
	open_now++;
	client->sent = false;
	client->received = 0;
	client->measured = phase == MEASURE;
	client->length = (size_t)snprintf(client->line, sizeof client->line,
		"connection %010lu of the benchmark\n", begun++);

	/*
	 * Leaves the port to connect, which knows the other end and may take one
	 * that is still in TIME_WAIT towards another server.
	 */
	setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		sizeof on);
	if (bind(client->fd, (const struct sockaddr *)&source, sizeof source) != 0) {
		fail(client, "bind");
		return;
	}
	client->began_ns = now_ns();
	if (connect(client->fd, (const struct sockaddr *)&server,
			sizeof server) != 0 && errno != EINPROGRESS) {
		fail(client, "connect");
		return;
	}
	/* On loopback the handshake is most often over by now. */
	if (send_line(client))
		watch(client, EPOLL_CTL_ADD, EPOLLIN);
	else if (errno == EAGAIN)
		watch(client, EPOLL_CTL_ADD, EPOLLOUT);
	else
		fail(client, "connect");
}

static void advance(struct client *client)
{
	if (!client->sent) {
		if (send_line(client))
			watch(client, EPOLL_CTL_MOD, EPOLLIN);
		else if (errno != EAGAIN)
			fail(client, "connect");
		return;
	}
	for (;;) {
		ssize_t got = recv(client->fd, client->echo + client->received,
			sizeof client->echo - client->received, 0);

		if (got < 0) {
			if (errno != EAGAIN)
				fail(client, "receive");
			return;
		}
		client->received += (size_t)got;
		if (got == 0 || client->received > client->length) {
			errno = 0;
			if (client->received == client->length &&
				memcmp(client->echo, client->line,
					client->length) == 0)
				succeed(client);
			else
				fail(client, "echo");
			return;
		}
	}
}

static int compare_times(const void *left, const void *right)
{
	const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

/* The smallest time that is not below the given share of all (nearest rank). */
static uint32_t percentile(unsigned percent)
{
	return times_count == 0 ?
		0 :
		times_us[(times_count * percent + 99) / 100 - 1];
}

int main(int argc, char *argv[])
{
	struct epoll_event events[EVENTS_AT_ONCE];
	struct client *clients;
	uint64_t now, measure_at, from = 0, until = 0;
	unsigned long most;
	double seconds;
	struct processor_time before = { 0 }, after = { 0 };
	int count, i, ready;

	if (argc != 6 && argc != 7) {
		fprintf(stderr, "usage: load_client PORT CLIENTS "
			"WARM_UP_SECONDS SECONDS MAX_CONNECTIONS "
			"[DAEMON_PID]\n");
		return 64;
	}
	port = atoi(argv[1]);
	count = atoi(argv[2]);
	measure_at = now_ns() + (uint64_t)(atof(argv[3]) * 1e9);
	seconds = atof(argv[4]);
	most = strtoul(argv[5], NULL, 10);
	daemon_pid = argc == 7 ? atoi(argv[6]) : 0;
	if (argc == 7 &&
		clock_getcpuclockid(daemon_pid, &daemon_clock) != 0) {
		fprintf(stderr, "no process %s\n", argv[6]);
		return 1;
	}
	clients = calloc((size_t)count, sizeof *clients);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (clients == NULL || epoll_fd < 0)
		die("start");
	for (i = 0; i < count; i++)
		clients[i].fd = -1;

	for (;;) {
		now = now_ns();
		if (phase == WARM_UP && now >= measure_at) {
			phase = MEASURE;
			from = now;
			before = read_processor_time();
		}
		if (phase == MEASURE &&
			((double)(now - from) >= seconds * 1e9 || ended >= most ||
				errors >= ERRORS_TO_GIVE_UP)) {
			phase = DRAIN;
			until = now;
			after = read_processor_time();
		}
		if (phase == DRAIN && (open_now == 0 ||
				now - until >= DRAIN_SECONDS * 1000000000ull))
			break;
		for (i = 0; i < count && phase != DRAIN; i++)
			if (clients[i].fd < 0)
				begin(&clients[i]);
		ready = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, 20);
		if (ready < 0 && errno != EINTR)
			die("epoll_wait");
		for (i = 0; i < ready; i++)
			advance(events[i].data.ptr);
	}
	errors += open_now; /* never answered */

	qsort(times_us, times_count, sizeof *times_us, compare_times);
	seconds = (double)(until - from) / 1e9;
	printf("{\"connections\": %lu, \"seconds\": %.6f, \"rate\": %.1f, "
		"\"p50_us\": %u, \"p99_us\": %u, \"errors\": %lu, "
		"\"client_cpu_seconds\": %.6f, "
		"\"daemon_cpu_seconds\": %.6f, "
		"\"children_cpu_seconds\": %.6f, "
		"\"machine_cpu_seconds\": %.6f}\n",
		ended, seconds, (double)ended / seconds, percentile(50),
		percentile(99), errors, after.client - before.client,
		after.daemon - before.daemon, after.children - before.children,
		after.machine - before.machine);
	return 0;
}
