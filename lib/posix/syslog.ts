/**
 * What syslog(3) knows records by.
 *
 * @module
 */

/**
 * Facilities, as syslog.conf(5) and Postfix name them, in the order in which
 * Postfix tells them: their numbers are those of syslog.h, without the bits of
 * the priority.
 */
export const FACILITIES: Readonly<Record<string, number>> = {
  auth: 4,
  authpriv: 10,
  cron: 9,
  daemon: 3,
  ftp: 11,
  kern: 0,
  lpr: 6,
  mail: 2,
  news: 7,
  syslog: 5,
  user: 1,
  uucp: 8,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};
