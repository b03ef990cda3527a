/*
 * Tells what it was started with, from within a root directory in which there
 * is nothing else, not even /proc. After its words it waits for the end of its
 * input, if the first of them is "hold".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
    uid_t ruid, euid, suid;
    gid_t rgid, egid, sgid, groups[64];
    getresuid(&ruid, &euid, &suid);
    getresgid(&rgid, &egid, &sgid);
    printf("uid %d %d %d\ngid %d %d %d\ngroups", ruid, euid, suid, rgid, egid,
           sgid);
    for (int count = getgroups(64, groups), at = 0; at < count; at++)
        printf(" %d", groups[at]);

    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct caps[2] = {0};
    syscall(SYS_capget, &header, caps);
    printf("\ncapabilities %x %x %x %x %x %x\n", caps[0].effective,
           caps[1].effective, caps[0].permitted, caps[1].permitted,
           caps[0].inheritable, caps[1].inheritable);
    printf("no_new_privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));

    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    printf("blocked");
    for (int number = 1; number < NSIG; number++)
        if (sigismember(&blocked, number) == 1)
            printf(" %d", number);

    printf("\nsession %s, group %s\n", getsid(0) == getpid() ? "own" : "other",
           getpgrp() == getpid() ? "own" : "other");
    mode_t mask = umask(0);
    printf("umask %03o\ndescriptors", mask);
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf(" %d", fd);

    char directory[4096];
    struct stat root, above;
    stat("/", &root);
    stat("/..", &above);
    printf("\ndirectory %s\nroot %s, %s /facts-root\n",
           getcwd(directory, sizeof directory) ? directory : "?",
           root.st_ino == above.st_ino ? "closed" : "open",
           access("/facts-root", F_OK) == 0 ? "has" : "lacks");
    printf("system %s\n", access("/proc/self", F_OK) == 0 ? "seen" : "unseen");

    for (char **word = environ; *word; word++)
        printf("variable %s\n", *word);
    for (int at = 0; at < argc; at++)
        printf("word %s\n", argv[at]);
    printf(".\n");
    fflush(stdout);
    char byte;
    if (argc > 1 && strcmp(argv[1], "hold") == 0)
        while (read(0, &byte, 1) > 0)
            ;
    return 0;
}
